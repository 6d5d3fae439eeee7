"""What stands around an answer: learned from Django's own answers, never written down twice."""

from collections.abc import Sequence

OK, NOT_MODIFIED = "200 OK", "304 Not Modified"
# What differs from answer to answer; all others are the settings' and the view's.
OWN = ("etag", "content-length", "x-request-id")

Headers = Sequence[tuple[str, str]]


class Learned:
    """The headers of Django's answers by status and by whether the request came by HTTPS."""

    def __init__(self):
        self._known: dict[tuple[str, bool], tuple[tuple[tuple[str, str], ...], list[str]]] = {}

    def learn(self, status: str, secure: bool, headers: Headers) -> None:
        """Remembers the headers of an answer that may be given to everybody."""
        names = [name.lower() for name, _ in headers]
        if status not in (OK, NOT_MODIFIED) or "set-cookie" in names:
            return
        if not all(names.count(one) == 1 for one in OWN):
            return
        shared = tuple(pair for pair, name in zip(headers, names, strict=True) if name not in OWN)
        known = self._known.get((status, secure))
        if known is None or known[0] != shared:
            named = {name.lower(): name for name, _ in headers}
            self._known[status, secure] = shared, [named[one] for one in OWN]

    def around(
        self, status: str, secure: bool, etag: str, length: str, request_id: str
    ) -> list[tuple[str, str]] | None:
        """The headers of one answer; None while Django has not shown them."""
        known = self._known.get((status, secure))
        if known is None:
            return None
        shared, (tag, size, request) = known
        return [*shared, (tag, etag), (size, length), (request, request_id)]
