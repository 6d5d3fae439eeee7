"""``manage.py rebuild_projection order_views``: the read model anew from the log of all events."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.errors import HoldfastError
from apps.common.progress import fitting
from apps.reporting.enums import PROJECTION
from apps.reporting.rebuilding.replaying import Outcome, projection_rebuild


class Command(BaseCommand):
    help = (
        "Makes the read model anew from the log of all events, beside the one in use: replays,"
        " catches up, tells what differs and swaps, while consumers go on. After a kill the same"
        " command goes on where it stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=[PROJECTION], metavar="NAME", help=PROJECTION)
        parser.add_argument("--restart", action="store_true", help="begin anew after a kill")
        parser.add_argument("--dry-run", action="store_true", help="compare, but do not swap")
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with fitting(json=options["json"]) as progress:
                outcome = projection_rebuild(
                    progress=progress, restart=options["restart"], dry_run=options["dry_run"]
                )
        except HoldfastError as error:
            raise CommandError(error.detail) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; started again it goes on", returncode=130) from None
        except OperationalError as error:
            raise CommandError(f"the database does not answer ({error})") from error
        self.stdout.write(_json(outcome) if options["json"] else _text(outcome))


def _json(outcome: Outcome) -> str:
    return orjson.dumps(
        {
            "events": outcome.events,
            "resumed": outcome.resumed,
            "swapped": outcome.swapped,
            "seconds": round(outcome.seconds, 3),
            "differences": {
                one.table: {"rows": one.rows, "keys": one.keys} for one in outcome.differences
            },
        }
    ).decode()


def _text(outcome: Outcome) -> str:
    lines = [
        f"{outcome.events:,} events in {outcome.seconds:.1f} s"
        + (", taken up where it had stopped" if outcome.resumed else "")
    ]
    for one in outcome.differences:
        lines.append(f"{one.table}: {one.rows:,} rows differed: {', '.join(one.keys)}")
    if not outcome.differences:
        lines.append("Every row is as it was.")
    lines.append("The new tables are in use." if outcome.swapped else "Nothing was swapped.")
    return "\n".join(lines)
