import pytest

from apps.catalog.engagement import reading, recording
from apps.catalog.engagement.names import key
from apps.common.redis import durable


@pytest.fixture(autouse=True)
def fresh():
    """Nothing counted, nothing held back, Redis not taken for away."""
    recording.buffer.flush()
    recording.deliver._not_before = reading._ask._not_before = 0.0
    _forget()
    yield
    recording.buffer.flush()
    _forget()


def _forget() -> None:
    if names := durable().keys(key("*").replace("[", "\\[")):
        durable().unlink(*names)
