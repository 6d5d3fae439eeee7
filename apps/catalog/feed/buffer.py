"""Where the edits of a feed wait: see ``apps.caching.write_behind``."""

from apps.caching.write_behind import Buffer
from apps.catalog.enums import DATABASE
from apps.catalog.feed import flushing, sql

# Keys are public ids of products, fields those of ``edits``.
PRODUCTS = Buffer(
    "catalog.products",
    DATABASE,
    apply=flushing.apply,
    next_epoch=sql.next_epoch,
    versions=sql.versions,
)
