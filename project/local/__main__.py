"""``python -m project.local COMMAND``: what the Makefile calls inside ``.venv``."""

import argparse
import os
import sys

from django.core.exceptions import ImproperlyConfigured

from project.local import places
from project.local.errors import Interrupted, Trouble
from project.local.parents import end_with_make
from project.local.supervisor import say

# The test-suite never touches a configured server: it would empty it.
URLS = (
    *(f"{name.upper()}_DATABASE_URL" for name in places.DATABASES),
    *("CACHE_URL", "QUEUE_REDIS_URL", "BROKER_URL", "EVENTS_URL", "GATEWAY_URL", "EMAIL_URL"),
)


def parser() -> argparse.ArgumentParser:
    main = argparse.ArgumentParser(prog="python -m project.local", description=__doc__)
    add = main.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add.add_parser("up", help="run the shop until Ctrl-C")
    run = add.add_parser("run", help="run CMD with the servers up")
    run.add_argument("words", nargs=argparse.REMAINDER, metavar="-- CMD")
    test = add.add_parser("test", help="run the test-suite on servers of its own")
    test.add_argument("words", nargs=argparse.REMAINDER, metavar="[ARGUMENT…]")
    add.add_parser("check", help="lint, import contracts, deployment checks, migrations")
    demo = add.add_parser("demo", help="send a real shop's sales through checkout")
    demo.add_argument("--file", default="")
    demo.add_argument("--stock", default="", choices=("", "ample", "scarce"))
    demo.add_argument("words", nargs=argparse.REMAINDER)
    reset = add.add_parser("reset", help="throw var/ away")
    reset.add_argument("--yes", action="store_true", help="without asking")
    return main


def main() -> int:
    arguments = parser().parse_args()
    end_with_make()
    if arguments.command in ("test", "check"):
        os.environ["HOLDFAST_VAR"] = str(places.current().var / "test")
        os.environ.update(dict.fromkeys(URLS, ""))
    try:
        from project.local import commands  # reads the environment, which is settled only now

        return getattr(commands, arguments.command)(arguments)
    except (Trouble, ImproperlyConfigured) as trouble:
        say(str(trouble))
        return 1
    except PermissionError as error:
        say(
            f"no permission for {error.filename}: use the account that made {places.current().var},"
            " or remove it"
        )
        return 1
    except (Interrupted, KeyboardInterrupt):
        return 130


if __name__ == "__main__":
    sys.exit(main())
