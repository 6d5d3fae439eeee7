"""Names among the living: slugs that are made, and clashes that name who has the name."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from apps.catalog.enums import DATABASE
from apps.catalog.errors import Clash, clash_of, taken
from apps.catalog.models import Category, Product
from apps.common.ids import new_id

MODELS = {"product": Product, "category": Category}


def slug_of(name: str, sku: str) -> str:
    """A slug made of name and sku; a UUID where neither has a character that a slug may have."""
    return slugify(f"{name[:150]} {sku[:64]}") or str(new_id())


@contextmanager
def naming_clashes() -> Iterator[None]:
    """A transaction on ``catalog`` whose unique violations become ``Taken``."""
    try:
        with transaction.atomic(using=DATABASE):
            yield
    except IntegrityError as error:
        clash = clash_of(error)
        if clash is None:
            raise
        raise taken(clash, _holder(clash)) from error


def _holder(clash: Clash) -> dict[str, str] | None:
    rows = MODELS[clash.model].objects.using(DATABASE).filter(**{clash.field: clash.value})
    row = rows.values_list("public_id", "name").first()
    return {"id": str(row[0]), "name": row[1]} if row else None
