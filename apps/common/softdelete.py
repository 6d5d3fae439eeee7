"""Soft deletion that a stale copy cannot undo."""

from safedelete.models import SOFT_DELETE, SafeDeleteModel

OWN_FIELDS = frozenset({"deleted", "deleted_by_cascade"})


class SoftDeleteModel(SafeDeleteModel):
    """A row that stays when it is deleted and can be restored with ``undelete()``.

    ``objects`` sees the living only, ``all_objects`` all, ``deleted_objects`` the deleted. The
    library's ``save()`` writes every column and clears ``deleted``, so saving an instance loaded
    before someone deleted the row would bring it back. Here an ordinary ``save()`` never touches
    the deletion columns of an existing row; only ``delete()`` and ``undelete()`` do, and they
    touch nothing else.
    """

    _safedelete_policy = SOFT_DELETE
    _deleting = False

    class Meta:
        abstract = True

    def save(self, keep_deleted: bool = True, **kwargs) -> None:
        if not self._deleting:
            keep_deleted = True
            if kwargs.get("update_fields") is None and self._updates_a_row(kwargs):
                kwargs["update_fields"] = self._ordinary_fields()
        super().save(keep_deleted=keep_deleted, **kwargs)

    def soft_delete_policy_action(self, **kwargs):
        return self._writing_deletion(super().soft_delete_policy_action, **kwargs)

    def undelete(self, force_policy=None, **kwargs):
        return self._writing_deletion(super().undelete, force_policy=force_policy, **kwargs)

    def _updates_a_row(self, kwargs: dict) -> bool:
        return not self._state.adding and not kwargs.get("force_insert")

    def _ordinary_fields(self) -> list[str]:
        """Every loaded column but the key and those of the deletion."""
        deferred = self.get_deferred_fields()
        return [
            field.name
            for field in self._meta.concrete_fields
            if not field.primary_key
            and not field.generated
            and field.name not in OWN_FIELDS
            and field.attname not in deferred
        ]

    def _writing_deletion(self, action, **kwargs):
        kwargs.setdefault("update_fields", sorted(OWN_FIELDS))
        self._deleting = True
        try:
            return action(**kwargs)
        finally:
            self._deleting = False
