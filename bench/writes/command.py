"""``python -m bench writes``: one change of a price, kept by write-behind beside the same change
to the database; at the facade in one process, and by PATCH over HTTP.

Both ways are checked, invalidate the cache and are seen by readers at once. The direct one commits
(fsync on) the row, its price history, its event and its note for staff; write-behind is in the
durable Redis, as ``make up`` starts it, and does all that later, in sets: ``bench feed`` says how
fast. Servers of its own below ``var/``, thrown away afterwards.
"""

import argparse
import json
from typing import Any

CHANGES, ROUNDS = 600, 3


def add_parser(benchmarks: Any) -> None:
    """Adds ``writes`` to the command line."""
    parser = benchmarks.add_parser(
        "writes", help="one change by write-behind and to the database", description=__doc__
    )
    parser.add_argument("--changes", type=int, default=CHANGES, metavar="N", help="of each round")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each way")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a target was missed."""
    from bench.figures import as_json
    from bench.screen import Progress
    from bench.shop import open_shop
    from bench.writes import figures, screen, single

    if min(arguments.changes, arguments.rounds) < 1:
        raise SystemExit("--changes and --rounds are at least 1")
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop:
        bench = single.Bench(shop, arguments.changes, arguments.rounds, progress)
        found = {"facade": bench.at_the_facade(), "http": bench.over_http()}
        progress.say("auditing …")
        found["left"] = bench.settled()
    report: dict[str, Any] = {"writes": found, "ratio": figures.ratios(found)}
    judged = figures.targets(report)
    report["targets"] = as_json(judged)
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1
