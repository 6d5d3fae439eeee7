"""The category tree as it is sent, ready."""

from collections.abc import Mapping, Sequence

from apps.caching.resources import Fields
from apps.catalog import selectors
from apps.catalog.caching.names import TREE
from apps.catalog.rest.serializers import tree_data
from apps.common.rest.renderers import dumps


def load(ids: Sequence[str]) -> Mapping[str, bytes]:
    """The living categories; one query."""
    return {TREE.id: dumps(tree_data(selectors.categories()))} if TREE.id in ids else {}


def encode(tree: bytes) -> Fields:
    return {"json": tree}


def decode(fields: Fields) -> bytes:
    try:
        return fields["json"]
    except KeyError as error:
        raise ValueError("no tree") from error
