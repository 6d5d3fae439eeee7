"""Delivers events to consumer groups until it is told to stop.

Without names to every group, each in a process of its own. Any number may run: the consumers of a
group share its events.
"""

import signal
from argparse import ArgumentParser
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from apps.common.priority import step_back
from apps.eventlog.reconciling import groups_begin
from apps.messaging.brokers.choose import broker
from apps.messaging.consuming.consumer import Consumer
from apps.messaging.consuming.supervising import Children
from apps.messaging.groups import ConsumerGroup, all_groups, find_group
from project.local.parents import signal_at_our_death

log = structlog.get_logger(__name__)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("group", nargs="*", help="consumer groups; all where none is named")
        parser.add_argument("--consumers", type=int, default=1, help="processes for each group")

    def handle(self, *args: Any, group: list[str], consumers: int, **options: Any) -> None:
        groups = [_group(name) for name in group] or all_groups()
        if not groups:
            raise CommandError("there are no consumer groups")
        stopped = False

        def stop(*_: Any) -> None:
            nonlocal stopped
            stopped = True

        for number in STOP_SIGNALS:
            signal.signal(number, stop)
        _begin()
        step_back(settings.EVENT_CONSUMER_NICE)
        works = [
            (one.name, partial(_consume, one, lambda: stopped))
            for one in groups
            for _ in range(consumers)
        ]
        if len(works) == 1:
            works[0][1]()
            return
        at_birth = signal_at_our_death(signal.SIGTERM)
        Children(works, stopping=lambda: stopped, at_birth=at_birth).run()


def _begin() -> None:
    """Groups that are new answer for whatever is logged from now on."""
    try:
        groups_begin()
    except (DatabaseError, InterfaceError) as error:  # the reconciler does so as well
        log.warning("consume.groups_not_begun", error=str(error))


def _consume(group: ConsumerGroup, stopping: Any) -> None:
    Consumer(group, broker, stopping=stopping).run()


def _group(name: str) -> ConsumerGroup:
    group = find_group(name)
    if group is None:
        known = ", ".join(one.name for one in all_groups())
        raise CommandError(f"there is no consumer group {name!r}; there are {known}")
    return group
