"""The main job from the file to the books."""

import time
from pathlib import Path

from apps.common.progress import Progress
from apps.orders.audit import services as audit
from apps.orders.audit.models import AuditRun
from apps.orders.replay import importing, selectors
from apps.orders.replay.importing import Stock
from apps.orders.replay.matching import Matcher
from apps.orders.replay.placing import Directory, place_orders, reference
from apps.orders.replay.report import Report, Returned
from apps.orders.replay.returning import (
    match_returns,
    return_reference,
    ship_orders,
    take_returns,
)
from apps.orders.replay.survey import read_orders, survey_file
from apps.orders.replay.waiting import STALL_SECONDS, await_sagas
from apps.orders.workflows.dispatching import KIND as DISPATCH
from apps.orders.workflows.returning import KIND as RETURN


def sales_replay(
    *,
    path: Path,
    stock: Stock,
    progress: Progress,
    limit_days: int | None = None,
    patience: float = STALL_SECONDS,
) -> Report:
    """Places every sale of the file, takes back what it brings back, waits for the sagas, audits
    and returns the file's books.

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
        matcher = Matcher(survey)
        orders = matcher.watch(read_orders(path, survey, limit_days=limit_days))
        place_orders(orders, directory=directory, stock=stock, progress=progress)
        references = [reference(stock, invoice) for invoice in survey.last_line]
        order_ids = selectors.order_ids(references)
        sagas = await_sagas(order_ids, progress, patience=patience)
        returned = _returns(matcher, stock, progress, patience)
        progress.begin("Audit", 1)
        findings = audit.audit_run(trigger=AuditRun.Trigger.REPLAY)
        progress.reach(1)
    kept, given_back = selectors.money_of(order_ids)
    return Report(
        survey=survey,
        sagas=sagas,
        returned=returned,
        captured=kept + given_back,
        kept=kept,
        audit=findings,
        seconds=time.monotonic() - begun,
    )


def _returns(matcher: Matcher, stock: Stock, progress: Progress, patience: float) -> Returned:
    """Takes back what the file brings back, once the sagas have told which orders were sold."""
    matches, sold = match_returns(matcher, stock)
    shipped = [sold[invoice] for invoice in dict.fromkeys(one.order for one in matches.returns)]
    ship_orders(shipped, progress)
    take_returns(matches, sold, stock, progress)
    taken = selectors.returns_of([return_reference(stock, one) for one in matches.returns])
    await_sagas(sorted(shipped), progress, kind=DISPATCH, phase="Dispatch sagas", patience=patience)
    sagas = await_sagas(
        sorted(taken), progress, kind=RETURN, phase="Return sagas", patience=patience
    )
    return Returned(matches, len(shipped), sagas, int(sum(taken.values()) * 100))
