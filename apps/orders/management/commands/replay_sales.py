"""``manage.py replay_sales``: a real shop's sales file through the public checkout."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console

from apps.common.errors import HoldfastError
from apps.common.progress import fitting
from apps.orders import replay
from apps.orders.replay.importing import Stock
from apps.orders.replay.placing import PlacingError
from apps.orders.replay.reader import SalesFileError
from apps.orders.replay.report import print_report
from apps.orders.replay.services import sales_replay
from apps.orders.replay.waiting import NothingMoves

SAMPLE = Path(replay.__file__).with_name("data") / "online_retail_three_days.csv.gz"


def days(text: str) -> int:
    """A number of trading days, at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"'{text}' is no number of days from 1")
    return int(text)


class Command(BaseCommand):
    help = (
        "Places every sale of a sales file through the checkout, waits for the sagas and audits"
        " the books. A repeated run places nothing twice. Without FILE, three trading days that"
        " come with the project."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=SAMPLE, metavar="FILE")
        parser.add_argument(
            "--stock",
            choices=[stock.value for stock in Stock],
            default=Stock.AMPLE.value,
            help="stock all that the file sells, or 60 %% of it",
        )
        parser.add_argument("--limit-days", type=days, help="only the first N trading days")
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        path, stock = options["file"], Stock(options["stock"])
        try:
            report = sales_replay(
                path=path,
                stock=stock,
                limit_days=options["limit_days"],
                progress=fitting(json=options["json"]),
            )
        except (SalesFileError, PlacingError, NothingMoves) as error:
            raise CommandError(str(error)) from error
        except HoldfastError as error:
            raise CommandError(error.detail) from error
        except KeyboardInterrupt:
            raise CommandError("stopped; started again it goes on", returncode=130) from None
        except OperationalError as error:
            raise CommandError(
                f"a database does not answer; start the shop with `make up` ({error})"
            ) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(report.as_json()).decode())
        else:
            print_report(report, f"{path.name}, {stock} stock", Console(file=self.stdout))
        if report.audit.violations:
            raise CommandError(f"{report.audit.violations:,} violations")
