"""``python -m bench events``: from outbox to inbox, beside a Celery task per event; what appending
and carrying cost the orders; the read model.

Everything runs on servers of its own below ``var/`` that are thrown away: PostgreSQL and Redis as
``make up`` starts them (fsync on), a RabbitMQ node where it is installed, the shop's own relay and
consumers.
"""

import argparse
import json
from typing import Any

PARTS = ("flow", "append", "relay", "projection", "growth")
EVENTS, ROUNDS, PUBLISHED = 50_000, 3, 1_000_000


def add_parser(benchmarks: Any) -> None:
    """Adds ``events`` to the command line."""
    parser = benchmarks.add_parser(
        "events", help="events: outbox to inbox, brokers, read model", description=__doc__
    )
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help="in each flow")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="of each setting")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part (may be said more than once)"
    )
    parser.add_argument(
        "--published", type=int, default=PUBLISHED, metavar="N", help="events of `growth`"
    )
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a target was missed."""
    from bench.events import figures, screen
    from bench.figures import as_json
    from bench.sagas.screen import Progress
    from bench.shop import open_shop

    if min(arguments.events, arguments.rounds, arguments.published) < 1:
        raise SystemExit("--events, --rounds and --published are at least 1")
    progress = Progress()
    progress.say("starting a shop …")
    with open_shop() as shop:
        events = measure(shop, arguments, progress)
    report: dict[str, Any] = {"events": events, "ratio": figures.ratios(events)}
    judged = figures.targets(report)
    report["targets"] = as_json(judged)
    if arguments.json:
        print(json.dumps(report))
    else:
        screen.print_report(report, judged)
    return 0 if all(one.passed for one in judged) else 1


def measure(shop: Any, arguments: argparse.Namespace, progress: Any) -> dict[str, Any]:
    """The figures of the wanted parts."""
    from bench.events import carriers, compare, cost, growth, outboxes
    from bench.shop import audit

    parts, rounds = arguments.only or PARTS, arguments.rounds
    orders = max(arguments.events // 5, 50)  # a checkout tells five things
    templates = outboxes.prepare(shop, min(orders, 4_000))
    progress.say(f"{templates:,} real events to go on with")
    found: dict[str, Any] = {}
    with carriers.brokers(shop) as brokers:
        if len(brokers) == 1:
            progress.say("rabbitmq-server is not installed: Redis alone")
        if "flow" in parts:
            found["flow"] = compare.flows(shop, brokers, arguments.events, rounds, progress)
        if "projection" in parts:
            found["projection"] = compare.projections(shop, brokers, rounds, progress)
    if "append" in parts:
        found["append"] = cost.measure_append(shop, rounds, progress)
    if "relay" in parts:
        found["relay"] = cost.measure_relay(shop, orders, rounds, progress)
    if "growth" in parts:
        empty = growth.flows(shop, "small", arguments.events, rounds, progress)
        growth.grow(shop, arguments.published, progress)
        full = growth.flows(shop, "full", arguments.events, rounds, progress)
        found["growth"] = growth.facts(empty, full, arguments.published)
    progress.say("auditing …")
    found["audit"] = {"violations": audit(shop)["violations"]}
    return found
