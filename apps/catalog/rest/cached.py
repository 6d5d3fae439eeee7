"""Answers about products by the cache, out of bytes that are ready; who looks is noted."""

from collections.abc import Sequence
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from apps.caching.strategies import strategy
from apps.catalog.caching import pages
from apps.catalog.caching.names import PAGE, PRODUCT
from apps.catalog.engagement.recording import record_view
from apps.catalog.engagement.visitors import visitor_of
from apps.common.errors import NotFound
from apps.common.rest.headers import tagged, versioned_etag
from apps.common.rest.renderers import dumps


def cached_answer(request: Request, public_id: UUID, only: Sequence[str]) -> HttpResponse:
    """The product as visitors get it, by the cache; raises ``NotFound``."""
    product = strategy(PRODUCT).get(str(public_id))
    if product is None:
        raise NotFound("There is no such product.")
    if not only:
        return tagged(request, product.json, etag=product.etag)
    data = product.data
    part = {name: data[name] for name in only}
    return tagged(request, part, etag=versioned_etag(product.version, part))


def note_view(request: Request, public_id: UUID) -> None:
    """A visitor or customer looks at the product; a 304 is a look as well, HEAD and staff not."""
    user = request.user
    if request.method == "GET" and not user.is_staff:
        customer = user.public_id if user.is_authenticated else None
        record_view(str(public_id), visitor_of(request.META, customer))


def cached_page(request: Request, key: str, only: Sequence[str]) -> HttpResponse:
    """A page of the list by the cache: its ids, and each product by its own value."""
    page = strategy(PAGE).tagged(pages.tags_of(key)).get(key)
    found = strategy(PRODUCT).get_many(page.ids)
    # One that is not for sale any more since the page was read is left out.
    products = [one for one in map(found.get, page.ids) if one is not None]
    if only:
        data = [one.data for one in products]
        results = dumps([{name: one[name] for name in only} for one in data])
    else:
        results = b"[" + b",".join([one.json for one in products]) + b"]"
    url = request.build_absolute_uri()
    links = (dumps(pages.link(url, page.next)), dumps(pages.link(url, page.previous)))
    return tagged(request, b'{"next":%b,"previous":%b,"results":%b}' % (*links, results))
