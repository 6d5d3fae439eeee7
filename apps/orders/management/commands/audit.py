"""``manage.py audit``: do the books of all databases and of the gateway agree?"""

from argparse import ArgumentParser
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rich.console import Console

from apps.common.errors import HoldfastError
from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run


class Command(BaseCommand):
    help = (
        "Checks what must never happen – oversold stock, money without an order, an order without"
        " money – over all databases and the gateway, while the shop runs. Exit status 1 and the"
        " offending ids where it did."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = audit_run(trigger=AuditRun.Trigger.COMMAND)
        except HoldfastError as error:
            raise CommandError(f"the audit could not be finished: {error.detail}") from error
        except OperationalError as error:
            raise CommandError(
                f"a database does not answer; start the shop with `make up` ({error})"
            ) from error
        if options["json"]:
            self.stdout.write(orjson.dumps(report.as_json()).decode())
        else:
            report.print(Console(file=self.stdout))
        if report.violations:
            raise CommandError(f"{report.violations:,} violations")
