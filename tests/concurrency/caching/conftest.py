from tests.integration.caching.conftest import cached, make, table  # noqa: F401
