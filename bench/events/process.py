"""``python -m bench.events.process relay`` or ``consume``: the product's own command, in a shop
with one consumer group, which does nothing with an event but enter it in its inbox.

``BENCH_GROUP`` names the group; to the file ``BENCH_DELAYS``, if there is one, go the milliseconds
from each event's insert to the commit of its inbox row.
"""

import os
import sys
import time
from collections.abc import Sequence
from typing import Any

ALIAS = "reporting"
TOPICS = ("order.*", "payment.*", "shipment.*")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from apps.messaging import groups

    groups._groups.clear()
    groups.register_groups([_group(groups)])
    call_command(*sys.argv[1:])


def _group(groups: Any) -> Any:
    return groups.ConsumerGroup(
        name=os.environ["BENCH_GROUP"],
        alias=ALIAS,
        topics=TOPICS,
        handle=_nothing,
        after_commit=_write_delays if os.environ.get("BENCH_DELAYS") else None,
    )


def _nothing(events: Sequence[Any]) -> None:
    pass


def _write_delays(events: Sequence[Any]) -> None:
    now = time.time()
    with open(os.environ["BENCH_DELAYS"], "a") as file:
        file.writelines(f"{(now - one.occurred_at.timestamp()) * 1000:.3f}\n" for one in events)


if __name__ == "__main__":
    main()
