"""Who reads the log while others append to it misses nothing."""

import threading

import pytest
from django.db import connections, transaction

from apps.eventlog import archiving, selectors
from apps.messaging.consuming.delivering import deliver
from tests.integration.messaging.consuming.conftest import id_of, told

pytestmark = pytest.mark.django_db(transaction=True, databases=["reporting"])


def test_an_archive_that_dawdles_before_its_commit_is_not_overtaken():
    """A reader that goes on from the last position it saw would never come back for a lower one
    that commits later."""
    slow, quick = told("slow"), told("quick")
    appended, let_go = threading.Event(), threading.Event()

    def dawdle() -> None:
        with transaction.atomic(using="reporting"):
            deliver(archiving.GROUP, [slow])
            appended.set()
            let_go.wait(10)
        connections["reporting"].close()

    def hurry() -> None:
        deliver(archiving.GROUP, [quick])
        connections["reporting"].close()

    first, second = threading.Thread(target=dawdle), threading.Thread(target=hurry)
    first.start()
    assert appended.wait(10)
    second.start()
    second.join(0.3)  # it has all the time it would need, if nothing held it
    seen = selectors.events_since(0, ["*"], 10)
    let_go.set()
    first.join(10)
    second.join(10)
    position = seen[-1].position if seen else 0
    seen += selectors.events_since(position, ["*"], 10)
    assert [one.event_id for one in seen] == [id_of(slow), id_of(quick)]
