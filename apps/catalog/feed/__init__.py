"""Prices, attributes and counts as another system sends them: continuously or by night, in sets.

``lines`` reads what came, ``sending`` is the request as a whole, ``editing`` one product's edit.
``edits`` is the form in which an edit of price and attributes waits in the durable Redis,
``buffer`` declares that to ``apps.caching.write_behind``; ``buffering`` puts edits there, or into
the database where Redis takes none. ``flushing`` writes them in sets, ``draining`` before anybody
else writes or sells their products, ``merging`` shows readers what waits. ``sql`` holds every
statement, ``desk`` and ``staff`` are for the back office. Counts of stock never wait:
``apps.catalog.stock.counting``.
"""
