"""``python -m chaos [--minutes N] [--seed N]``: see ``docs/chaos.md``."""

import argparse
import os
import random
import shutil
import socket
import sys
import tempfile
from pathlib import Path

from project.local.__main__ import URLS
from project.local.errors import Interrupted, Trouble
from project.local.parents import end_with_make
from project.local.supervisor import say

# What differs from ``make up``: short waits, so that five minutes see many of them end.
IMPATIENT = {
    "SAGA_LEASE_SECONDS": "5",
    "EVENT_RELAY_LEASE_SECONDS": "5",
    "EVENTS_CLAIM_AFTER_SECONDS": "10",
    "GATEWAY_READ_TIMEOUT": "1",
    "API_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
    "API_USER_REQUESTS_PER_MINUTE": "0",
    "FAILPOINTS_ENABLED": "on",
}


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    main.add_argument("--minutes", type=float, default=5.0, help="of load and faults (default 5)")
    main.add_argument("--seed", type=int, default=None, help="which run (default: a new one)")
    main.add_argument("--rate", type=float, default=20.0, help="orders a second (default 20)")
    main.add_argument(
        "--coordination",
        choices=("orchestrated", "choreographed"),
        default="orchestrated",
        help="of the checkouts (default orchestrated)",
    )
    main.add_argument(
        "--events",
        choices=("redis", "rabbitmq"),
        default="redis",
        help="who carries the events (default redis)",
    )
    main.add_argument("--only", default="", help="kinds of faults, with commas (default: all)")
    main.add_argument("--keep", action="store_true", help="keep the logs of a good run too")
    main.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return main


def settle_environment(var: Path, coordination: str = "orchestrated") -> None:
    """The environment of a shop on ``var`` that touches nobody else's server or port."""
    web, gateway, link = _free_ports(3)
    os.environ.update(dict.fromkeys(URLS, ""))
    os.environ.update(IMPATIENT)
    os.environ.update(
        HOLDFAST_VAR=str(var),
        HOLDFAST_ENV="development",
        PORT=str(web),
        GATEWAY_PORT=str(gateway),
        GATEWAY_URL=f"http://127.0.0.1:{link}",
        FAILPOINT_FILE=str(var / "failpoint"),
        CHECKOUT_COORDINATION=coordination,
        DJANGO_SETTINGS_MODULE="project.settings",
    )


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def main() -> int:
    arguments = parser().parse_args()
    if arguments.inside:
        import django

        django.setup()
        from chaos import drill

        return drill.main(arguments)
    end_with_make()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(10_000)
    var = Path(tempfile.mkdtemp(prefix="holdfast-chaos-"))
    settle_environment(var, arguments.coordination)
    try:
        from chaos import house  # reads the environment, which is settled only now

        return house.run(arguments)
    except Trouble as trouble:
        say(str(trouble))
        return 1
    except (Interrupted, KeyboardInterrupt):
        return 130
    finally:
        shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
