"""Sends customers' mails until it is told to stop; SIGTERM lets it finish those in hand."""

import signal
import threading
from typing import Any

from django.core.management import BaseCommand

from apps.common.priority import step_back
from apps.notifications import mailer

NICENESS = 10  # orders go first


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{mailer.send_due()} sent")
            return
        step_back(NICENESS)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        mailer.run(stop)
