"""The main job from the file to the books."""

import time
from pathlib import Path

from apps.orders.audit import services as audit
from apps.orders.audit.models import AuditRun
from apps.orders.replay import importing, selectors
from apps.orders.replay.importing import Stock
from apps.orders.replay.placing import Directory, place_orders, reference
from apps.orders.replay.progress import Progress
from apps.orders.replay.report import Report
from apps.orders.replay.survey import read_orders, survey_file
from apps.orders.replay.waiting import STALL_SECONDS, await_sagas


def sales_replay(
    *,
    path: Path,
    stock: Stock,
    progress: Progress,
    limit_days: int | None = None,
    patience: float = STALL_SECONDS,
) -> Report:
    """Places every sale of the file, waits for the sagas, audits and returns the file's books.

    What an earlier run placed, however it ended, is not placed again and counts all the same.
    Raises ``SalesFileError`` before anything is placed, ``PlacingError``, ``NothingMoves`` where
    no saga ends for ``patience`` seconds, and what the audit raises.
    """
    begun = time.monotonic()
    with progress:
        progress.begin("Reading the file", 1)
        survey = survey_file(path, limit_days=limit_days)
        progress.reach(1)
        directory = Directory(
            importing.import_customers(survey, progress),
            importing.import_products(survey, progress),
        )
        importing.receive_stock(survey, directory.products, stock, progress)
        progress.begin("Orders", survey.orders)
        orders = read_orders(path, survey, limit_days=limit_days)
        place_orders(orders, directory=directory, stock=stock, progress=progress)
        references = [reference(stock, invoice) for invoice in survey.last_line]
        order_ids = selectors.order_ids(references)
        sagas = await_sagas(order_ids, progress, patience=patience)
        progress.begin("Audit", 1)
        findings = audit.audit_run(trigger=AuditRun.Trigger.REPLAY)
        progress.reach(1)
    return Report(
        survey=survey,
        sagas=sagas,
        captured=selectors.captured_pence(order_ids),
        audit=findings,
        seconds=time.monotonic() - begun,
    )
