"""``manage.py reconcile_money``: the gateway's records against our ledger, now."""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console

from apps.common.contracts import to_builtins
from apps.common.errors import HoldfastError
from apps.orders.reconciling import reconcile_money
from apps.payments.contracts import MoneyFinding, Reconciliation

DONE = {"answer": "answer entered", "void": "voided", "refund": "refunded"}
WOULD = {"answer": "would enter it", "void": "would void it", "refund": "would refund it"}


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
    for one in run.findings:
        order = f"order {one.order_id}" if one.order_id else "no order of ours"
        console.print(f"{one.kind}: {_done(one, dry_run)}", style="bold", soft_wrap=True)
        console.print(f"  {order}, reference {one.reference}", soft_wrap=True)
        console.print(f"  {one.detail}", soft_wrap=True)
    console.print(
        f"{run.records:,} records of the gateway, {run.payments:,} payments of ours:"
        f" {run.mended:,} mended, {run.opened:,} new for a person, {run.cleared:,} agree by now"
        f" ({run.seconds:.1f} s).",
        soft_wrap=True,
    )


def _done(one: MoneyFinding, dry_run: bool) -> str:
    if not one.action:
        return "for a person"
    if one.done:
        return DONE[one.action]
    return WOULD[one.action] if dry_run else "not yet"
