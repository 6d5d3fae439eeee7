"""Carries events from the outboxes to the broker until it is told to stop.

Any number may run: each outbox is one relay's at a time, and another takes over within seconds.
"""

import signal
import threading

import structlog
from django.conf import settings
from django.core.management import BaseCommand
from django.db import connections

from apps.common.priority import step_back
from apps.messaging.relay.process import Relay, empty
from project import heartbeat

log = structlog.get_logger(__name__)
# What the relay writes may be lost in a crash of the server: it would publish again.
HASTY = " -c synchronous_commit=off"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--once", action="store_true", help="publish what is due, then end")

    def handle(self, *args, once: bool, **options) -> None:
        for connection in connections.all():
            connection.settings_dict["OPTIONS"]["options"] += HASTY
        if once:
            self.stdout.write(f"{empty():,} events published")
            return
        step_back(settings.EVENT_RELAY_NICE)
        run()


def run() -> None:
    """Until SIGTERM or SIGINT; then the batches in hand are finished."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    relay = Relay()
    relay.start()
    log.info("relay.started", databases=list(settings.DATABASES))
    while relay.alive():
        heartbeat.show("relay")
        if stop.wait(heartbeat.EVERY_SECONDS):
            break
    relay.stop()
    heartbeat.end("relay")
    log.info("relay.stopped")
