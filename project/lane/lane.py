"""The layer itself."""

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any

from django.conf import settings
from django.urls import resolve, reverse

from apps.caching.local import process
from apps.catalog.engagement.recording import record_view
from apps.catalog.engagement.visitors import visitor_of
from apps.common.correlation import sane_request_id
from apps.common.rest.body import Application
from apps.common.rest.headers import names_etag
from project.lane.gate import is_plain, is_secure
from project.lane.headers import NOT_MODIFIED, OK, Learned
from project.lane.products import Products
from project.lane.tallies import Tallies

ANY_ID = "00000000-0000-0000-0000-000000000000"
Environ = dict[str, Any]


class FastLane:
    """Answers ``GET`` of a product for anonymous callers; whatever it does not know is Django's.

    It notes what Django would have noted: the request in the metrics, and who looked at what.
    """

    def __init__(self, application: Application):
        self._application = application
        self._products = Products()
        self._learned = Learned()
        path = reverse("product", args=[ANY_ID])
        self._prefix = path.removesuffix(ANY_ID)
        self._length = len(path)
        self._tallies = Tallies(resolve(path).route)
        process.every_moment(self._tallies.flush)

    def __call__(self, environ: Environ, start_response: Callable) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if (
            len(path) != self._length
            or environ["REQUEST_METHOD"] != "GET"
            or not path.startswith(self._prefix)
            or not is_plain(environ)
        ):
            return self._application(environ, start_response)
        began = perf_counter()
        secure = is_secure(environ)
        if settings.SECURE_SSL_REDIRECT and not secure:
            return self._application(environ, start_response)
        product_id = path[len(self._prefix) :]
        answer = self._products.find(product_id)
        if answer is None:
            return self._django(environ, start_response, secure)
        status, length, body = OK, answer.length, [answer.body]
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known is not None and names_etag(known, answer.etag):
            # No list: granian would leave out the Content-Length that Django sends.
            status, length, body = NOT_MODIFIED, "0", iter((b"",))
        request_id = sane_request_id(environ.get("HTTP_X_REQUEST_ID"))
        headers = self._learned.around(status, secure, answer.etag, length, request_id)
        if headers is None:
            return self._django(environ, start_response, secure)
        start_response(status, headers)
        record_view(product_id, visitor_of(environ))
        self._tallies.add(200 if status is OK else 304, perf_counter() - began)
        return body

    def _django(self, environ: Environ, start_response: Callable, secure: bool) -> Iterable[bytes]:
        """Django's answer, whose headers the lane takes for its own from now on."""

        def learning(status: str, headers: list, *rest: Any) -> Any:
            self._learned.learn(status, secure, headers)
            return start_response(status, headers, *rest)

        return self._application(environ, learning)
