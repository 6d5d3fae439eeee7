"""``python -m bench sagas``: checkout sagas, beside DBOS and Celery and alone.

Everything runs on servers of its own below ``var/`` that are thrown away: PostgreSQL and Redis as
``make up`` starts them (fsync on), the shop's own workers, gateway and web server.
"""

import argparse
import json
from pathlib import Path
from typing import Any

PARTS = ("compare", "latency", "http", "hot", "workers", "growth")
RUNS, ROUNDS, FINISHED = 20_000, 3, 1_000_000


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
    parser.add_argument(
        "--finished", type=int, default=FINISHED, metavar="N", help="finished runs of `growth`"
    )
    parser.add_argument("--figure", type=Path, metavar="PATH", help="draw the comparison as SVG")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures, prints, draws; 1 if a target was missed."""
    from bench.figures import as_json
    from bench.sagas import figures, picture, rivals, screen
    from bench.shop import open_shop

    if min(arguments.runs, arguments.rounds, arguments.finished) < 1:
        raise SystemExit("--runs, --rounds and --finished are at least 1")
    progress = screen.Progress()
    parts = arguments.only or PARTS
    if {"compare", "latency", "http"} & set(parts):
        rivals.install()
    progress.say("starting a shop …")
    with open_shop() as shop:
        report = measure(shop, parts, arguments, progress)
    judged = figures.targets(report)
    report["targets"] = as_json(judged)
    if arguments.figure and "compare" in parts:
        arguments.figure.write_text(picture.draw(report), encoding="utf-8")
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1


def measure(shop: Any, parts: Any, arguments: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """The report of the ``parts``, in their order."""
    from bench.sagas import compare, growth, hot, latency, over_http
    from bench.shop import audit

    report: dict[str, Any] = {}
    runs, rounds = arguments.runs, arguments.rounds
    half = max(runs // 2, 1)  # enough where Holdfast is compared with itself
    # First, because later the tables are not empty any more; the other half of it comes last.
    empty = growth.drains(shop, "empty", runs, rounds, progress) if "growth" in parts else []
    if "compare" in parts:
        report |= compare.compare(shop, runs, rounds, progress)
    if "latency" in parts:
        for name, facts in latency.measure(shop, runs, progress).items():
            report.setdefault(name, {})["latency"] = facts
    if "http" in parts:
        report["http"] = over_http.measure(shop, runs, rounds, progress)
        report.setdefault("ratio", {})["oscar"] = report["http"].pop("ratio")
    if "hot" in parts:
        report["hot_product"] = hot.measure_hot(shop, half, rounds, progress)
    if "workers" in parts:
        report["workers"] = hot.measure_workers(shop, half, rounds, progress)
    if "growth" in parts:
        finished = growth.grow(shop, arguments.finished, progress)
        full = growth.drains(shop, "full", runs, rounds, progress)
        report["growth"] = growth.facts(empty, full, finished)
    progress.say("auditing …")
    report["audit"] = {"violations": audit(shop)["violations"]}
    return report
