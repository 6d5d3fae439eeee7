"""Every address below ``/api/v1/``, found in the URL configuration itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

PREFIX = "api/v1/"
# What a GET cannot do without.
NEEDED = {"api/v1/catalog/search": "?q=thing", "api/v1/catalog/suggestions": "?q=thing"}


@dataclass(frozen=True)
class Address:
    """A route such as ``api/v1/orders/<uuid:order_id>`` and the methods its view has."""

    route: str
    parameters: tuple[str, ...]
    methods: frozenset[str]

    def __str__(self) -> str:
        return self.route

    def path(self, values: dict[str, Any]) -> str:
        """The route with ``values`` in place of its parameters."""
        path = f"/{self.route}"
        for name in self.parameters:
            start = path.index("<")
            assert path[start:].partition(">")[0].endswith(name)
            path = path[:start] + str(values[name]) + path[path.index(">") + 1 :]
        return path


def all_addresses() -> list[Address]:
    """In the order of the URL configuration."""
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns, prefix: str) -> Iterator[Address]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and route.startswith(PREFIX):
            view = entry.callback.cls
            methods = {n.upper() for n in view.http_method_names if hasattr(view, n)}
            if "GET" in methods:
                methods.add("HEAD")
            yield Address(route, tuple(entry.pattern.converters), frozenset(methods))
