"""``python -m bench sagas``: checkout sagas, beside DBOS and Celery and alone.

Everything runs on servers of its own below ``var/`` that are thrown away: PostgreSQL and Redis as
``make up`` starts them (fsync on), the shop's own workers, gateway and web server.
"""

import argparse
import json
from typing import Any

PARTS = ("compare", "latency", "http", "hot", "workers")
RUNS, ROUNDS = 20_000, 3


def add_parser(benchmarks: Any) -> None:
    """Adds ``sagas`` to the command line."""
    parser = benchmarks.add_parser(
        "sagas", help="checkout sagas: Holdfast, DBOS, a Celery chain", description=__doc__
    )
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help="sagas to drain")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each side")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part (may be said more than once)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints, draws; 1 if a target was missed."""
    from bench.sagas import figures, rivals, screen
    from bench.sagas.shop import open_shop

    if arguments.runs < 1 or arguments.rounds < 1:
        raise SystemExit("--runs and --rounds are at least 1")
    progress = screen.Progress()
    parts = arguments.only or PARTS
    if {"compare", "latency"} & set(parts):
        rivals.install()
    progress.say("starting a shop …")
    with open_shop() as shop:
        report = measure(shop, parts, arguments, progress)
    judged = figures.targets(report)
    report["targets"] = [
        {"name": one.name, "measured": one.measured, "wanted": one.wanted, "passed": one.passed}
        for one in judged
    ]
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1


def measure(shop: Any, parts: Any, arguments: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """The report of the ``parts``, in their order."""
    from bench.sagas import compare, hot, latency, over_http
    from bench.sagas.shop import audit

    report: dict[str, Any] = {}
    runs, rounds = arguments.runs, arguments.rounds
    if "compare" in parts:
        report |= compare.compare(shop, runs, rounds, progress)
    if "latency" in parts:
        for name, facts in latency.measure(shop, runs, progress).items():
            report.setdefault(name, {})["latency"] = facts
    if "http" in parts:
        report["http"] = over_http.measure(shop, runs, rounds, progress)
    if "hot" in parts:
        report["hot_product"] = hot.measure_hot(shop, runs, rounds, progress)
    if "workers" in parts:
        report["workers"] = hot.measure_workers(shop, runs, rounds, progress)
    progress.say("auditing …")
    report["audit"] = {"violations": audit(shop)["violations"]}
    return report
