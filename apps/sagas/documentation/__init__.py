"""``docs/sagas.md``, made from the definitions that run here."""

from apps.sagas.documentation.generating import document

__all__ = ["document"]
