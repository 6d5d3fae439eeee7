"""``python -m bench NAME``: runs a benchmark; exit status 1 where a target was missed."""

import argparse
import sys

from bench import data, pages, replay, styles
from bench.events import command as events
from bench.feed import command as feed
from bench.reads import command as reads
from bench.sagas import command as sagas
from bench.search import command as search
from bench.writes import command as writes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    benchmarks = parser.add_subparsers(required=True, metavar="NAME")
    replay.add_parser(benchmarks)
    data.add_parser(benchmarks)
    pages.add_parser(benchmarks)
    sagas.add_parser(benchmarks)
    events.add_parser(benchmarks)
    styles.add_parser(benchmarks)
    search.add_parser(benchmarks)
    reads.add_parser(benchmarks)
    writes.add_parser(benchmarks)
    feed.add_parser(benchmarks)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
