"""Addresses of the catalogue below ``/api/v1/``."""

from django.urls import path

from apps.catalog.rest import bulk, caches, categories, engagement, feed, products, search, stock

PRODUCT, CATEGORY = "products/<uuid:public_id>", "categories/<uuid:category_id>"

urlpatterns = [
    path("catalog/search", search.Search.as_view(), name="catalog-search"),
    path("catalog/suggestions", search.Suggestions.as_view(), name="catalog-suggestions"),
    path("catalog/feed", feed.Feed.as_view(), name="catalog-feed"),
    path("products", products.Products.as_view(), name="products"),
    path("products/bulk", bulk.BulkProducts.as_view(), name="products-bulk"),
    path(PRODUCT, products.OneProduct.as_view(), name="product"),
    path(f"{PRODUCT}/restore", products.RestoreProduct.as_view(), name="product-restore"),
    path(f"{PRODUCT}/purge", products.PurgeProduct.as_view(), name="product-purge"),
    path(f"{PRODUCT}/cache", caches.ProductCache.as_view(), name="product-cache"),
    path(f"{PRODUCT}/prices", stock.Prices.as_view(), name="product-prices"),
    path(f"{PRODUCT}/stock", stock.Stock.as_view(), name="product-stock"),
    path(f"{PRODUCT}/stock-ledger", stock.StockLedger.as_view(), name="product-stock-ledger"),
    path(
        f"{PRODUCT}/stock-adjustments",
        stock.AdjustStockView.as_view(),
        name="product-stock-adjustments",
    ),
    path(f"{PRODUCT}/related", engagement.Related.as_view(), name="product-related"),
    path(f"{PRODUCT}/insights", engagement.Insights.as_view(), name="product-insights"),
    path("catalog/trending", engagement.Trending.as_view(), name="trending"),
    path("catalog/best-sellers", engagement.BestSellers.as_view(), name="best-sellers"),
    path("catalog/recently-viewed", engagement.RecentlyViewed.as_view(), name="recently-viewed"),
    path("me/recently-viewed", engagement.MyRecentlyViewed.as_view(), name="my-recently-viewed"),
    path("categories", categories.Categories.as_view(), name="categories"),
    path(CATEGORY, categories.OneCategory.as_view(), name="category"),
    path(f"{CATEGORY}/restore", categories.RestoreCategory.as_view(), name="category-restore"),
    path(f"{CATEGORY}/purge", categories.PurgeCategory.as_view(), name="category-purge"),
]
