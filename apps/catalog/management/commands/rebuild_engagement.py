"""``manage.py rebuild_engagement``: best-sellers and bought together anew from the log."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.catalog.engagement.names import AWAY
from apps.catalog.engagement.rebuilding import Outcome, engagement_rebuild
from apps.common.errors import HoldfastError
from apps.common.progress import fitting


class Command(BaseCommand):
    help = (
        "Counts best-sellers and what is bought together anew from the log of all events, beside"
        " what is in use, and puts the new counts in their place. The shop goes on meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with fitting(json=options["json"]) as progress:
                outcome = engagement_rebuild(progress=progress)
        except HoldfastError as error:
            raise CommandError(error.detail) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; all is as it was", returncode=130) from None
        except OperationalError as error:
            raise CommandError(f"the database does not answer ({error})") from error
        except AWAY as error:
            raise CommandError(f"the durable Redis does not answer ({error})") from error
        self.stdout.write(_json(outcome) if options["json"] else _text(outcome))


def _json(outcome: Outcome) -> str:
    return orjson.dumps(
        {
            "events": outcome.events,
            "sales": outcome.sales,
            "seconds": round(outcome.seconds, 3),
        }
    ).decode()


def _text(outcome: Outcome) -> str:
    return f"{outcome.events:,} events, {outcome.sales:,} sales in {outcome.seconds:.1f} s."
