"""``python -m bench styles``: the same checkout carried out by the engine and by events.

On a shop of its own that is thrown away, with the workers, relay and consumers of ``make up``. Both
styles are measured with relay and consumers at work, as the shop runs.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

STYLES = ("orchestrated", "choreographed")
RUNS, ROUNDS, LATE, PATIENCE, LOOK_EVERY = 3_000, 3, 100, 900.0, 0.05
LIVE = """
    SELECT EXISTS (SELECT FROM sagas_sagarun
        WHERE status IN ('pending', 'in_progress', 'compensating'))
    OR EXISTS (SELECT FROM messaging_outbox WHERE published_at IS NULL AND dead_at IS NULL)
"""
ENDED = """
    SELECT count(*) FILTER (WHERE status = 'completed'),
        extract(epoch FROM max(finished_at) - %(began)s)::float8
    FROM sagas_sagarun
    WHERE kind = 'checkout' AND style = %(style)s AND created_at >= %(accepted)s
"""


def add_parser(benchmarks: Any) -> None:
    """Adds ``styles`` to the command line."""
    parser = benchmarks.add_parser(
        "styles", help="the checkout by the engine and by events", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="orders to drain")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each style")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 where the audit finds something."""
    from bench.sagas.screen import Progress
    from bench.shop import audit, open_shop

    if min(arguments.runs, arguments.rounds) < 1:
        raise SystemExit("--runs and --rounds are at least 1")
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop, _at_work(shop) as processes:
        report: dict[str, Any] = {}
        for style in STYLES:
            _choose(shop, style)
            report[style] = _latency(shop, style)
            progress.say(f"{style}: {report[style]}")
        drains: dict[str, list[dict[str, float]]] = {style: [] for style in STYLES}
        for number in range(arguments.rounds):
            for style in STYLES:
                _choose(shop, style)
                one = _drain(shop, processes, style, arguments.runs, f"{style}-{number}")
                drains[style].append(one)
                progress.say(f"{style}: {one}")
        for style in STYLES:
            report[style] |= {
                name: round(statistics.median(one[name] for one in drains[style]), 2)
                for name in drains[style][0]
            }
        found = audit(shop)["checks"]
    report["violations"] = sum(one["violations"] for one in found.values())
    if arguments.json:
        print(json.dumps(report))
    return 1 if report["violations"] else 0


@contextmanager
def _at_work(shop: Any) -> Iterator[list[Any]]:
    from project.local import parts

    carriers = [shop.start(parts.relay()), shop.start(parts.consumer())]
    try:
        with shop.workers() as workers:
            yield [workers, *carriers]
    finally:
        for one in carriers:
            one.stop()


def _choose(shop: Any, style: str) -> None:
    """For orders placed by this process and by those it starts."""
    from django.conf import settings

    settings.CHECKOUT_COORDINATION = style
    shop.environment["CHECKOUT_COORDINATION"] = style


def _latency(shop: Any, style: str) -> dict[str, Any]:
    """From asking to confirmed, with the gateway process, five orders a second."""
    from bench.figures import latencies
    from bench.sagas.latency import of_holdfast

    return latencies(of_holdfast(shop, LATE, "card", prefix=f"latency-{style}"))


def _drain(
    shop: Any, processes: Sequence[Any], style: str, count: int, prefix: str
) -> dict[str, float]:
    """Accepts ``count`` orders while nobody works, then measures how long all of it takes."""
    from bench.sagas.accepting import accept
    from bench.work import cpu_between, moment

    with shop.connect("orders") as connection:
        _wait(connection)
        for one in processes:
            one.pause()
        accepted = _now(connection)
        accept(shop, count, prefix=prefix, products=len(shop.products))
        connection.execute("CHECKPOINT")
        before, began = moment(connection), _now(connection)
        for one in processes:
            one.resume()
        _wait(connection)
        after = moment(connection)
        values = {"began": began, "accepted": accepted, "style": style}
        completed, seconds = connection.execute(ENDED, values).fetchone()
    if completed != count:
        raise SystemExit(f"{completed} of {count} completed: no measurement")
    cpu = sum(cpu_between(before, after).values())
    return {
        "orders_per_second": round(count / seconds, 1),
        "cpu_ms_per_order": round(cpu / count * 1000, 2),
        "write_commits_per_order": round((after.transactions - before.transactions) / count, 2),
    }


def _now(connection: Any) -> Any:
    return connection.execute("SELECT clock_timestamp()").fetchone()[0]


def _wait(connection: Any) -> None:
    """Returns when no run is left and every event is published."""
    deadline = time.monotonic() + PATIENCE
    while connection.execute(LIVE).fetchone()[0]:
        if time.monotonic() > deadline:
            raise SystemExit(f"the shop did not end in {PATIENCE:.0f} s")
        time.sleep(LOOK_EVERY)
