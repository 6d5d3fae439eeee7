"""Ratios and targets of ``bench events``. Pure."""

from collections.abc import Mapping
from typing import Any

from bench.figures import Target

# How long the shop may take to tell of an event while little is going on.
DELAY_MS = 1_000.0


def ratios(events: Mapping[str, Any]) -> dict[str, float]:
    """How many times the rate of a Celery task per event ours is, with as many consumers as
    Celery has children."""
    flows = events.get("flow", {})
    if "celery_task" not in flows:
        return {}
    theirs = flows["celery_task"]["events_per_second"]
    return {"celery_task": round(flows["redis_2"]["events_per_second"] / theirs, 1)}


def targets(report: Mapping[str, Any]) -> list[Target]:
    """The targets of what the report holds."""
    events, found = report["events"], []
    if "celery_task" in report["ratio"]:
        ratio = report["ratio"]["celery_task"]
        found.append(Target("Holdfast / Celery task per event", ratio, 10.0, "x"))
    for name, facts in events.get("flow", {}).items():
        if delay := facts.get("delay"):
            label = f"{name.replace('_', ', consumers: ')}, p99 of the delay"
            found.append(Target(label, delay["p99_ms"], DELAY_MS, " ms", most=True))
    if append := events.get("append"):
        found.append(
            Target("appending adds to an order", 100 * append["added"], 5.0, " %", most=True)
        )
    if relay := events.get("relay"):
        found.append(
            Target("carrying costs of the orders", 100 * relay["costs"], 25.0, " %", most=True)
        )
    if projection := events.get("projection"):
        rate = projection["redis"]["events_per_second"]
        found.append(Target("projection, one consumer", rate, 5_000.0, "/s"))
    if growth := events.get("growth"):
        found.append(Target("with published events / empty", growth["ratio"], 0.8))
    return found
