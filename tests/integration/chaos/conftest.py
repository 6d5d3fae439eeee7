"""The link and the books of a chaos run on the test's own gateway and databases."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections

from chaos import books
from chaos.proxies import Link
from tests.processes import free_port


@pytest.fixture
def link(gateway, settings) -> Iterator[Link]:
    """A link to the test's gateway, which the settings take for it."""
    settings.GATEWAY_URL = f"http://127.0.0.1:{free_port()}"
    settings.GATEWAY_READ_TIMEOUT = 0.5
    one = Link(settings.GATEWAY_URL, gateway.port)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def judge(gateway, monkeypatch):
    """``chaos.books`` that reads what the test wrote."""

    def connect(database: str) -> psycopg.Connection:
        words = connections[database].get_connection_params()
        return psycopg.connect(
            host=words["host"], user=words["user"], dbname=words["dbname"], autocommit=True
        )

    monkeypatch.setattr(books, "connect", connect)
    monkeypatch.setattr(books.env, "GATEWAY_PORT", gateway.port)
    return books
