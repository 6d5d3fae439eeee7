"""The only place that writes stock: items, reservations and the stock ledger.

``sql`` holds every statement, ``deciding`` the rule who gets what, ``reserving``, ``ending`` and
``moving`` the transactions. Locks are always taken in the same order – inbox keys, reservations,
stock items, each sorted – so that any two of these transactions can meet without a deadlock.
"""

from apps.catalog.stock.ending import dispatch, release
from apps.catalog.stock.moving import adjust, open_items, receive
from apps.catalog.stock.reserving import reserve

__all__ = ["adjust", "dispatch", "open_items", "receive", "release", "reserve"]
