"""Who may what: every address of the shop, by every method, for everybody; see ``matrix.txt``."""

import re
from collections.abc import Callable
from contextlib import ExitStack, nullcontext

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.template.loaders.base import Loader
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.integration.access import matrix
from tests.integration.access.requests import admin_requests, api_requests, send
from tests.integration.api.attack import in_this_transaction, undone
from tests.integration.api.conftest import row_counts

pytestmark = pytest.mark.django_db(databases=list(django_settings.DATABASES))
REQUESTS = [*api_requests(), *admin_requests()]
REFUSED = {"401", "403", "404", "405", "login"}
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|WITH\b.*\b(INSERT|UPDATE|DELETE))\b", re.I | re.S)


def test_every_address_has_a_row_and_every_row_an_address():
    """A new endpoint or page says here who may use it before anybody does."""
    known = matrix.read()
    missing = [f"{method} {route}" for method, route in REQUESTS if (method, route) not in known]
    gone = [" ".join(address) for address in known if address not in REQUESTS]
    assert not missing, "no row in matrix.txt for:\n" + "\n".join(missing)
    assert not gone, "rows in matrix.txt for addresses that are none:\n" + "\n".join(gone)


class Blank(Loader):
    """Every template is empty: who may see a page is decided before it is drawn, and drawing all
    of them would take minutes. Other tests draw them."""

    def get_template(self, template_name, skip=None):
        return self.engine.from_string("")


@pytest.fixture
def _undrawn(settings):
    [engine] = settings.TEMPLATES
    loaders = {"loaders": ["tests.integration.access.test_access.Blank"]}
    settings.TEMPLATES = [{**engine, "APP_DIRS": False, "OPTIONS": engine["OPTIONS"] | loaders}]
    settings.API_MAX_WAIT_SECONDS = 0


def answer_of(response) -> str:
    """As the matrix writes it."""
    location = response.headers.get("Location", "")
    is_sent_to_log_in = location.startswith(reverse("admin:login"))
    return "login" if is_sent_to_log_in else str(response.status_code)


def writes_of(request: Callable) -> tuple[str, list[str]]:
    """The answer to a request, and the statements of it that wrote."""
    captures = [CaptureQueriesContext(connections[alias]) for alias in django_settings.DATABASES]
    with ExitStack() as stack:
        for capture in captures:
            stack.enter_context(capture)
        answer = answer_of(request())
    return answer, [sql for capture in captures for sql in kept_writes(capture)]


def kept_writes(capture: CaptureQueriesContext) -> list[str]:
    """Statements that wrote and were not rolled back."""
    kept: list[str] = []
    marks: dict[str, int] = {}
    for sql in (query["sql"].strip() for query in capture.captured_queries):
        if sql.startswith("SAVEPOINT"):
            marks[sql.split()[-1]] = len(kept)
        elif sql.startswith("ROLLBACK TO SAVEPOINT"):
            del kept[marks[sql.split()[-1]] :]
        elif WRITES.match(sql):
            kept.append(sql)
    return kept


@pytest.mark.usefixtures("_undrawn")
@pytest.mark.parametrize("person", matrix.PEOPLE)
def test_everybody_gets_the_answers_of_the_matrix(world, person):
    """What is allowed is undone; what is refused leaves nothing that would have to be."""
    table, wrong = matrix.read(), []
    with in_this_transaction():
        client = world.person(person)
        before = row_counts()
        for address in REQUESTS:
            wanted = table.get(address, {}).get(person)
            with undone() if wanted not in REFUSED else nullcontext():
                answer, writes = writes_of(lambda address=address: send(client, address, world))
            if answer != wanted:
                wrong.append(f"{' '.join(address)}: {answer}, not {wanted}")
            elif answer in REFUSED:
                wrong += [f"{' '.join(address)}: refused, but {sql[:100]}" for sql in writes]
        after = row_counts()
    assert not wrong, f"{person}:\n" + "\n".join(wrong)
    assert after == before
