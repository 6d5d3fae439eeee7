"""``python -m bench feed``: prices sent to ``POST /catalog/feed``, 10,000 lines a request, and
flushed into the database by the workers.

Accepted changes per second are counted while the workers stand still (SIGSTOP), flushed rows per
second from SIGCONT to the last row, each with its price history and its event. ``together`` is both
at once. The shop's own web server and workers, on servers below ``var/`` that are thrown away.
"""

import argparse
import json
from typing import Any

LINES, PRODUCTS, ROUNDS = 10_000, 40_000, 3


def add_parser(benchmarks: Any) -> None:
    """Adds ``feed`` to the command line."""
    parser = benchmarks.add_parser(
        "feed", help="feeds accepted over HTTP and flushed", description=__doc__
    )
    parser.add_argument("--products", type=int, default=PRODUCTS, metavar="N", help="in the shop")
    parser.add_argument("--lines", type=int, default=LINES, metavar="N", help="of each request")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a target was missed."""
    from bench.feed import figures, screen
    from bench.feed.sending import Bench
    from bench.figures import as_json
    from bench.screen import Progress
    from bench.shop import open_shop

    if not 1 <= arguments.lines <= LINES:
        raise SystemExit(f"--lines is 1 to {LINES}")
    if arguments.products < arguments.lines or arguments.rounds < 1:
        raise SystemExit("--products is at least --lines, --rounds at least 1")
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop:
        bench = Bench(shop, arguments.products, arguments.lines, arguments.rounds, progress)
        found = bench.measure()
    report: dict[str, Any] = {"feed": found}
    judged = figures.targets(report)
    report["targets"] = as_json(judged)
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1
