import threading

import pytest
from django.db import connections

from apps.messaging.relay.lane import Lane
from tests.integration.messaging.events import Moody


@pytest.fixture
def broker():
    return Moody()


@pytest.fixture
def lane(broker):
    one = Lane("orders", broker, threading.Event())
    yield one
    connections["orders"].rollback()
    one.close()
