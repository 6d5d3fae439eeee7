"""A product as visitors get it: the hash in which Redis keeps it, and where it comes from."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from apps.caching.resources import Fields, Provisional
from apps.catalog.caching import known, rows
from apps.catalog.feed import merging
from apps.catalog.models import Product
from apps.catalog.rest.serializers import product_data
from apps.common.rest.headers import versioned_etag
from apps.common.rest.renderers import dumps


class CachedProduct(NamedTuple):
    """``json`` is the ready answer, ``etag`` its ETag."""

    version: int
    json: bytes
    etag: str

    @property
    def data(self) -> dict[str, Any]:
        """The answer's fields, as they are sent."""
        return orjson.loads(self.json)


def cached(product: Product) -> CachedProduct:
    json = dumps(product_data(product))
    return CachedProduct(product.version, json, versioned_etag(product.version, json))


def load(ids: Sequence[str]) -> Mapping[str, CachedProduct]:
    """Those of these products that are for sale, as the edits that wait will have them; one query,
    none for ids that never were."""
    wanted = known.possible(ids)
    if not wanted:
        return {}
    pending = merging.waiting(wanted)  # before the rows: what is flushed meanwhile is in both
    products = rows.for_sale(wanted)
    merging.merge(products, pending)
    found = {str(one.public_id): cached(one) for one in products}
    return Provisional(found) if pending is merging.UNKNOWN else found


def encode(product: CachedProduct) -> Fields:
    """The product's fields, each as it stands in the answer, with the answer and its ETag."""
    data = product.data
    return {
        "version": str(product.version).encode(),
        "sku": data["sku"].encode(),
        "name": data["name"].encode(),
        "price": orjson.dumps(data["price"]),
        "quantity": str(data["availability"]["quantity"]).encode(),
        "json": product.json,
        "etag": product.etag.encode(),
    }


def decode(fields: Fields) -> CachedProduct:
    """Raises ``ValueError`` for what is no product of ours."""
    try:
        found = CachedProduct(int(fields["version"]), fields["json"], fields["etag"].decode())
    except KeyError as error:
        raise ValueError(f"no field {error}") from error
    if found.etag != versioned_etag(found.version, found.json):
        raise ValueError("the ETag is not that of the answer")
    return found
