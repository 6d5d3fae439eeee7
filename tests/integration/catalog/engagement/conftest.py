import pytest

from tests.integration.catalog.engagement.clean import forget_all


@pytest.fixture(autouse=True)
def _fresh():
    forget_all()
    yield
    forget_all()
