"""What the catalogue keeps in caches, and how: this is the declaration.

| resource             | one value is                  | is gone when                              |
|----------------------|-------------------------------|-------------------------------------------|
| `catalog.product`    | a product as visitors get it  | it or its stock or its category changes   |
| `catalog.page`       | the ids of a page of the list | one of the page's tags (`pages`) changes  |
| `catalog.categories` | the category tree             | a category changes                        |

Prices and stock that an order is made of are never read from here: see `facade.get_offers` and
`stock`. `CACHE_POLICIES` says otherwise for a shop: `{"catalog.page": {"ttl": 30}}`.
"""

from apps.caching.policies import Local, Policy, Strategy
from apps.caching.resources import Resource
from apps.catalog.caching import pages, products, tree
from apps.catalog.caching.names import CATEGORIES, PAGE, PRODUCT

RESOURCES = (
    Resource(
        PRODUCT,
        products.load,
        Policy(
            Strategy.WRITE_THROUGH,
            ttl=600,
            negative_ttl=30,
            local=Local(entries=20_000, megabytes=64),
        ),
        products.encode,
        products.decode,
    ),
    Resource(
        PAGE,
        pages.load,
        Policy(Strategy.READ_THROUGH, ttl=120, negative_ttl=5),
        pages.encode,
        pages.decode,
    ),
    Resource(
        CATEGORIES,
        tree.load,
        Policy(Strategy.READ_THROUGH, ttl=600),
        tree.encode,
        tree.decode,
    ),
)
