"""``python -m bench search``: two words of real names among 100,000 products, one in five misspelt.

On a shop of its own below ``var/`` that is thrown away, with PostgreSQL as ``make up`` starts it.
The names are those of the sales sample, or of the whole year with ``--full FILE``; to make the
number, fronts and ends of names are crossed. Beside it, in the same run: every word by
``icontains`` with a trigram index on the products, ordered by name.
"""

import argparse
import json
from pathlib import Path
from typing import Any

PRODUCTS, QUERIES, ROUNDS = 100_000, 1_000, 3


def add_parser(benchmarks: Any) -> None:
    """Adds ``search`` to the command line."""
    parser = benchmarks.add_parser(
        "search", help="finding products: speed, misspelt words, cost", description=__doc__
    )
    parser.add_argument("--full", type=Path, metavar="FILE", help="the whole year's file")
    parser.add_argument("--products", type=int, default=PRODUCTS, metavar="N")
    parser.add_argument("--queries", type=int, default=QUERIES, metavar="N")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each write")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a target was missed."""
    from bench.figures import as_json
    from bench.screen import Progress
    from bench.search import figures, screen
    from bench.shop import open_shop

    if min(arguments.products, arguments.queries, arguments.rounds) < 1:
        raise SystemExit("--products, --queries and --rounds are at least 1")
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop:
        report: dict[str, Any] = {"search": measure(shop, arguments, progress)}
    report["ratio"] = figures.ratios(report["search"])
    judged = figures.targets(report["search"])
    report["targets"] = as_json(judged)
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1


def measure(shop: Any, arguments: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """All figures."""
    from apps.orders.management.commands.replay_sales import SAMPLE
    from bench.search import asking, data, writing
    from bench.search.questions import more_names, questions

    real = data.real_products(arguments.full or SAMPLE)
    names, skus = list(real.values()), list(real)
    data.insert_products(names, skus)
    data.settle()
    progress.say(f"{len(names):,} real products")
    misspelt = questions(names, arguments.queries, misspelt_every=1)
    found: dict[str, Any] = {
        "real_products": len(names),
        "real": asking.recalls(misspelt),
    }
    progress.say("adding to them, and changing prices …")
    found["writes"] = writing.measure(arguments.rounds, progress)
    extra = more_names(names, arguments.products)[len(names) :]
    progress.say(f"{len(extra):,} more …")
    data.insert_products(extra, [f"{skus[n % len(skus)]}-{n}" for n in range(len(extra))])
    data.settle()
    asked = questions(names, arguments.queries, misspelt_every=5)
    found["products"] = arguments.products
    found["sizes_mb"] = data.sizes()
    found["database"] = asking.at_the_database(asked)
    progress.say("at the database: done")
    found["http"] = asking.over_http(shop, asked)
    progress.say("over HTTP: done")
    found["icontains"] = writing.with_the_old_index(lambda: asking.by_icontains(asked))
    return found
