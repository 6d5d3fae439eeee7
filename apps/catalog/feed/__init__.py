"""Prices, attributes and counts as another system sends them: continuously or by night, in sets.

``lines`` reads what came, ``sending`` is the request as a whole, ``edits`` is the form in which an
edit of price and attributes waits in the durable Redis, ``buffer`` declares that to
``apps.caching.write_behind``, ``flushing`` writes a batch of edits into the database, ``merging``
shows readers what waits. Counts of stock never wait: ``apps.catalog.stock.counting``.
"""
