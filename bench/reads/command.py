"""``python -m bench reads``: products read over HTTP, beside a DRF view that reads through
django-redis and one through django-cacheops, on the same products, as popular as they were.

Everything runs on servers of its own below ``var/`` that are thrown away: PostgreSQL and Redis as
``make up`` starts them, two granian processes each. The load is wrk's (``apt-get install wrk``).
The peers are what ``startproject`` and DRF's defaults make of one view; anybody may change a price
there.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

PARTS = ("reads", "changes", "latency", "list", "without_l1", "without_lane")
ROUNDS, SECONDS = 3, 6


def add_parser(benchmarks: Any) -> None:
    """Adds ``reads`` to the command line."""
    parser = benchmarks.add_parser(
        "reads", help="product reads beside django-redis and cacheops", description=__doc__
    )
    parser.add_argument("--file", type=Path, metavar="FILE", help="a sales file; else the sample")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each server")
    parser.add_argument("--seconds", type=int, default=SECONDS, metavar="N", help="of each run")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part (may be said more than once)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a target was missed."""
    from bench.figures import as_json
    from bench.reads import figures, screen
    from bench.reads.load import wrk
    from bench.sagas.rivals import install
    from bench.screen import Progress
    from bench.shop import open_shop

    if min(arguments.rounds, arguments.seconds) < 1:
        raise SystemExit("--rounds and --seconds are at least 1")
    wrk()
    install()
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop, tempfile.TemporaryDirectory(prefix="holdfast-reads-") as directory:
        report = _measured(shop, arguments, progress, Path(directory))
    report["ratio"] = figures.ratios(report["reads"])
    judged = figures.targets(report)
    report["targets"] = as_json(judged)
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1


def _measured(
    shop: Any, arguments: argparse.Namespace, progress: Any, directory: Path
) -> dict[str, Any]:
    from django.db import connections

    from apps.orders import replay
    from bench.reads import catalogue, compare, servers

    sample = Path(replay.__file__).with_name("data") / "online_retail_three_days.csv.gz"
    file = arguments.file or sample
    sold = catalogue.fill(file)
    connections.close_all()
    servers.copy_catalogue(shop)
    progress.say(f"{len(sold):,} products of {file.name}")
    bench = compare.Bench(
        shop, sold, arguments.rounds, float(arguments.seconds), progress, directory
    )
    return {
        "reads": compare.measure(bench, arguments.only or list(PARTS)),
        "shop": {
            "file": file.name,
            "products": len(sold),
            "top_tenth": round(catalogue.share_of_the_top(sold, 0.1), 3),
        },
    }
