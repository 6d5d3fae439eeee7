"""Lists, shows and redrives dead letters. Redriving is a dry run unless --apply says otherwise."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.common.actor import Actor, acting
from apps.messaging.every_database import name
from apps.messaging.letters import (
    Wanted,
    letters_dry_run,
    letters_redrive,
    letters_waiting,
    told,
)
from apps.messaging.letters_admin import readable
from apps.messaging.models import DeadLetter

SHOWN = 50
LINE = 80  # characters of an error in a list


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=("list", "show", "redrive"))
        parser.add_argument("--group", default="", help="of this consumer group")
        parser.add_argument("--topic", default="", help="of this topic, or kind (order.*)")
        parser.add_argument("--reason", default="", choices=DeadLetter.Reason.values)
        parser.add_argument("--id", action="append", default=[], metavar="EVENT_ID")
        parser.add_argument("--why", default="from the command line", help="for the staff log")
        parser.add_argument("--apply", action="store_true", help="redrive, not just count")

    def handle(self, *args: Any, **options: Any) -> None:
        found = {alias: self._found(alias, options) for alias in settings.DATABASES}
        if not any(found.values()):
            self.stdout.write("No dead letters wait.")
            return
        if options["act"] == "list":
            self._list(found)
        elif options["act"] == "show":
            self._show(found)
        else:
            self._redrive(found, options)

    def _found(self, alias: str, options: dict[str, Any]):
        wanted = Wanted(options["group"], options["topic"], options["reason"])
        letters = letters_waiting(alias, wanted)
        return letters.filter(event_id__in=options["id"]) if options["id"] else letters

    def _list(self, found: dict) -> None:
        for alias, letters in found.items():
            for one in letters.defer("body")[:SHOWN]:
                self.stdout.write(
                    f"{one.event_id}  {one.created_at:%Y-%m-%d %H:%M:%S}  {name(alias):9}"
                    f"  {one.consumer:20}  {one.topic or '?':24}  {one.reason:15}"
                    f"  {one.error[:LINE]}"
                )
            if (more := letters.count() - SHOWN) > 0:
                self.stdout.write(f"… and {more:,} more in {name(alias)}")

    def _show(self, found: dict) -> None:
        for alias, letters in found.items():
            for one in letters[:SHOWN]:
                self.stdout.write(f"{one.event_id} {one.topic} for {one.consumer} ({name(alias)})")
                self.stdout.write(f"{one.reason}: {one.error}")
                self.stdout.write(f"died {one.deaths} times, last {one.last_at:%Y-%m-%d %H:%M:%S}")
                self.stdout.write(readable(bytes(one.body)) + "\n")

    def _redrive(self, found: dict, options: dict[str, Any]) -> None:
        dead = False
        for alias, letters in found.items():
            dry = letters_dry_run(letters)
            for why, number in dry.refused:
                self.stdout.write(f"{name(alias)}: {number:,} left alone: {why}")
            if not dry.ready:
                continue
            if not options["apply"]:
                self.stdout.write(f"{name(alias)}: {len(dry.ready):,} would be redriven (--apply)")
                continue
            with acting(_person):
                verdicts = letters_redrive(alias, dry.ready, why=options["why"])
            for text, good in told(verdicts):
                self.stdout.write(f"{name(alias)}: {text}")
                dead = dead or not good
        if dead:
            raise CommandError("not all of them were applied")


def _person() -> Actor:
    return Actor("", f"{getpass.getuser()} at the command line")
