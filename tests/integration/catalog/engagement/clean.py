"""Begins anew: nothing counted, nothing held back, Redis not taken for away."""

from apps.catalog.engagement import reading, recording
from apps.catalog.engagement.names import key
from apps.common.redis import durable


def forget_all() -> None:
    recording.buffer.flush()
    recording.deliver._not_before = reading._ask._not_before = 0.0
    if names := durable().keys(key("*")):
        durable().unlink(*names)
