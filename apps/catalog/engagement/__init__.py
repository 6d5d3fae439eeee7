"""What visitors look at, search for and buy, counted in the durable Redis for the shop window.

Views and searches go through ``buffer`` (``recording``), sales come from the orders' events
(``sales`` notes them with the inbox, ``counting`` carries the notes to Redis). ``reading`` answers;
``window`` turns ids into products for sale. Nothing here decides about money or stock: what is lost
with Redis is popularity, and sales are counted anew by ``rebuilding``.
"""
