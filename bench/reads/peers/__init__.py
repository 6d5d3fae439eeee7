"""The peers: a plain DRF view that reads through django-redis, and one through django-cacheops."""
