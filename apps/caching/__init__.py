"""Caches that are never stale at rest: strategies, leases, tags, write-behind, in-process L1.

``resources`` is the register of what each app declares, ``policies`` says how it is cached, and
``strategies`` are the ways to read and write it: ``strategy("catalog.product")`` is the door.
``scripts`` and ``fence`` are the protocol against races on one Redis, ``shards`` on several, with
breakers; ``writing`` is its two phases around a transaction (``changing`` for one that learns what
it changes as it goes), ``invalidations`` and ``retrying`` what remains to be told to a Redis that
is away. ``values`` says what is kept, ``flights`` has one reader load for many, ``statistics``
counts. ``local`` is the cache inside the process, ``write_behind`` keeps edits that the database
does not have yet. Knows nothing of commerce.
"""
