"""Caches that are never stale at rest: strategies, leases, tags, write-behind, in-process L1.

``keys`` names what is kept, ``scripts`` and ``fence`` are the protocol against races, ``policies`` says how a resource is cached, ``resources`` is the register of what each app declares,
``strategies`` are the ways to read and write it, ``local`` is the cache inside the process,
``write_behind`` keeps edits that the database does not have yet. Knows nothing of commerce.
"""
