"""The control of what appending costs: the same shop, but nothing is appended.

As a Celery application (``-A bench.events.muted``, with ``BENCH_MUTED``) for the workers, as
``muted()`` for who places orders. The code of the functions that build and append events is
exchanged while the process runs, so that whoever imported them has the mute ones; the product
knows nothing of it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django

from project.celery import app

__all__ = ["app", "muted"]


def append(alias, events):
    require_atomic(alias)  # noqa: F821 - of the outbox, whose code this becomes


def append_with(alias, sql, params, events):
    require_atomic(alias)  # noqa: F821
    rows = fetch_all(alias, _keys_of(sql), params, prepared=True)  # noqa: F821
    return [key for (key,) in rows]


def nothing(*words, **named):
    return None


def _pairs() -> tuple[tuple[Any, Any], ...]:
    """Who appends or builds events, and who does so silently."""
    from apps.messaging import outbox
    from apps.orders import events as orders
    from apps.payments import events as payments
    from apps.shipping import services as shipping

    return (
        (outbox.append, append),
        (outbox.append_with, append_with),
        (orders.order_placed, nothing),
        (orders.orders_moved, nothing),
        (payments.payment_event, nothing),
        (shipping._scheduled, nothing),
    )


@contextmanager
def muted() -> Iterator[None]:
    """Nothing is appended in the block."""
    pairs = _pairs()
    before = [spoken.__code__ for spoken, _ in pairs]
    _exchange(pairs, [mute.__code__ for _, mute in pairs])
    try:
        yield
    finally:
        _exchange(pairs, before)


def _exchange(pairs: tuple[tuple[Any, Any], ...], codes: list[Any]) -> None:
    for (spoken, _), code in zip(pairs, codes, strict=True):
        spoken.__code__ = code


if os.environ.get("BENCH_MUTED"):
    django.setup()
    _exchange(_pairs(), [mute.__code__ for _, mute in _pairs()])
