from pathlib import Path

import pytest

from bench.search.data import insert_products
from tests.integration.catalog.engagement.clean import forget_all

# Names of real products, from the data set *Online Retail* (CC BY 4.0, see README.md).
NAMES = (Path(__file__).parent / "names.txt").read_text().splitlines()


@pytest.fixture
def real_names(db) -> list[str]:
    """The products of ``NAMES`` on eight shelves; their SKUs are ``R0`` and so on."""
    insert_products(NAMES, [f"R{place}" for place in range(len(NAMES))])
    return NAMES


@pytest.fixture(autouse=True)
def _nothing_asked_before():
    """What tests before this one searched for is not popular here."""
    forget_all()
