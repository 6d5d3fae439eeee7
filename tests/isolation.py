"""Gives each pytest-xdist worker a Redis database and channel of its own; loaded before Django's
settings.

PostgreSQL databases are told apart by pytest-django.
"""

import os

from project.local import places

# Making and dropping the databases of a test run may take long on a busy machine.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "180000")
# So may any answer; a cache that is passed by for a moment would be no failure, but no test either.
os.environ.setdefault("CACHE_TIMEOUT_SECONDS", "0.5")

_number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
_places = places.current()
for _variable, _socket in (
    ("QUEUE_REDIS_URL", _places.redis_durable),
    ("CACHE_URL", _places.redis_cache),
):
    _url = os.environ.get(_variable) or f"unix://{_socket}?db=0"
    _base, _, _database = _url.partition("?db=")
    os.environ[_variable] = f"{_base}?db={int(_database or 0) + int(_number)}"
# What is published on Redis is heard in all of its databases: each worker has channels of its own.
os.environ["CACHE_PREFIX"] = f"{os.environ.get('CACHE_PREFIX') or 'test'}-{_number}"
