"""The only place that writes stock: items, reservations and the stock ledger.

``sql`` and ``hold_sql`` have every statement, ``deciding`` the rule who gets what, ``reserving``,
``holding``, ``ending``, ``returning``, ``expiring``, ``moving`` and ``counting`` the transactions,
``events`` what is told of them, ``closing`` the end of an item nobody ever moved.
Locks are always taken in the same order – inbox keys, reservations, stock items, each sorted – so
that any two of these transactions can meet without a deadlock.
"""

from apps.catalog.stock.closing import close_item
from apps.catalog.stock.counting import count
from apps.catalog.stock.ending import dispatch, release
from apps.catalog.stock.expiring import end_holds, expire_holds
from apps.catalog.stock.holding import hold
from apps.catalog.stock.moving import adjust, drop_items, open_items, receive
from apps.catalog.stock.reserving import reserve
from apps.catalog.stock.returning import give_back

__all__ = [
    "adjust",
    "close_item",
    "count",
    "dispatch",
    "drop_items",
    "end_holds",
    "expire_holds",
    "give_back",
    "hold",
    "open_items",
    "receive",
    "release",
    "reserve",
]
