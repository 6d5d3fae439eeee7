"""``manage.py reconcile_money``: the gateway's records against our ledger, now."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console
from rich.table import Table

from apps.common.contracts import to_builtins
from apps.common.errors import HoldfastError
from apps.orders.reconciling import reconcile_money
from apps.payments.contracts import MoneyFinding, Reconciliation


class Command(BaseCommand):
    help = (
        "Compares the payment gateway's own records with our ledger: voids what is held and refunds"
        " what was taken for orders that are undone, enters answers that our ledger lacks, and"
        " keeps the rest for a person (admin: Money discrepancies). Safe to run at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = reconcile_money(dry_run=options["dry_run"])
        except HoldfastError as error:
            raise CommandError(f"it could not be finished: {error.detail}") from error
        except OperationalError as error:
            raise CommandError(
                f"a database does not answer; start the shop with `make up` ({error})"
            ) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(to_builtins(run)).decode())
        else:
            _show(Console(file=self.stdout), run, dry_run=options["dry_run"])


def _show(console: Console, run: Reconciliation, *, dry_run: bool) -> None:
    if run.findings:
        table = Table("What", "Order", "Reference", "Done", "Facts")
        for one in run.findings:
            order = str(one.order_id) if one.order_id else "not ours"
            table.add_row(one.kind, order, one.reference, _done(one, dry_run), one.detail)
        console.print(table)
    console.print(
        f"{run.records:,} records of the gateway, {run.payments:,} payments of ours:"
        f" {run.mended:,} mended, {run.opened:,} new for a person, {run.cleared:,} agree by now"
        f" ({run.seconds:.1f} s)."
    )


def _done(one: MoneyFinding, dry_run: bool) -> str:
    if not one.action:
        return "for a person"
    return one.action if one.done else f"would {one.action}" if dry_run else "not yet"
