"""How the catalogue's cached things are called."""

from apps.caching.keys import Key, tag

PRODUCT, PAGE, CATEGORIES = "catalog.product", "catalog.page", "catalog.categories"
TREE = Key(CATEGORIES, "tree")
# Which products are for sale, in which category, and under which name.
BY_NAME = "catalog.products.names"
# What they cost.
BY_PRICE = "catalog.products.prices"
# What stands below which category.
SHELVES = "catalog.categories"
NAMES, PRICES, SHELF_TAG = tag(BY_NAME), tag(BY_PRICE), tag(SHELVES)
# The filter of ids that may be a product's (``known``).
KNOWN = Key("catalog.known", "ids")
