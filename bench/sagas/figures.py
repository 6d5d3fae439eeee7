"""What is made of the measurements: percentiles, medians, ratios, targets. Pure."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import Target

SIDES = ("holdfast", "dbos_direct", "dbos_queued", "celery_chain")
PEERS = SIDES[1:]


@dataclass(frozen=True, slots=True)
class Drain:
    """One draining of accepted runs: how many, in how long, with what work.

    ``cpu`` holds seconds of processor time by kind of process: python, postgres, redis.
    ``commits`` are those PostgreSQL counts, reads included; ``write_commits`` those that wrote.
    """

    runs: int
    seconds: float
    cpu: Mapping[str, float]
    write_commits: float
    commits: float | None = None  # counted in one round only: it takes PostgreSQL long to tell
    setting: str = ""
    accept_seconds: float | None = None
    accept_cpu_seconds: float | None = None

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds


def best_setting(drains: Sequence[Drain]) -> str:
    """The setting with the highest median rate."""
    settings = {one.setting for one in drains}
    return max(sorted(settings), key=lambda name: median_rate(of_setting(drains, name)))


def of_setting(drains: Sequence[Drain], setting: str) -> list[Drain]:
    """Those measured with ``setting``."""
    return [one for one in drains if one.setting == setting]


def median_rate(drains: Iterable[Drain]) -> float:
    """The median of the runs per second."""
    return statistics.median(one.per_second for one in drains)


def side(drains: Sequence[Drain]) -> dict[str, Any]:
    """One side's facts: medians over the drainings of its best setting."""
    best = best_setting(drains)
    chosen = of_setting(drains, best)
    runs = statistics.median(one.runs for one in chosen)
    facts = {
        "sagas_per_second": round(median_rate(chosen), 1),
        "setting": best,
        "runs": int(runs),
        "rounds": [round(one.per_second, 1) for one in chosen],
        "commits_per_saga": _commits(chosen),
        "write_commits_per_saga": _each(chosen, lambda one: one.write_commits, 3),
        "cpu_ms_per_saga": {
            kind: round(1000 * _each(chosen, lambda one, kind=kind: one.cpu[kind], 7), 3)
            for kind in chosen[0].cpu
        },
    }
    if accepted := [one for one in chosen if one.accept_seconds]:
        facts["accepted_per_second"] = round(
            statistics.median(one.runs / one.accept_seconds for one in accepted), 1
        )
        facts["accept_cpu_ms"] = round(
            1000 * statistics.median((one.accept_cpu_seconds or 0) / one.runs for one in accepted),
            3,
        )
    others = {one.setting for one in drains} - {best}
    if others:
        facts["other_settings"] = {
            name: round(median_rate(of_setting(drains, name)), 1) for name in sorted(others)
        }
    return facts


def _commits(drains: Sequence[Drain]) -> float | None:
    counted = [one for one in drains if one.commits is not None]
    return _each(counted, lambda one: one.commits, 3) if counted else None


def _each(drains: Sequence[Drain], amount, digits: int) -> float:
    return round(statistics.median(amount(one) / one.runs for one in drains), digits)


def ratios(sides: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How many times each peer's rate Holdfast's is."""
    ours = sides["holdfast"]["sagas_per_second"]
    return {
        peer: round(ours / sides[peer]["sagas_per_second"], 1) for peer in PEERS if peer in sides
    }


def cpu_ratios(sides: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """How many times Holdfast's processor time per saga each peer's is: what a busy machine, on
    which the rates say little, can be asked for."""
    spent = {name: sum(sides[name]["cpu_ms_per_saga"].values()) for name in SIDES}
    return {peer: round(spent[peer] / spent["holdfast"], 1) for peer in PEERS}


def targets(report: Mapping[str, Any]) -> list[Target]:
    """The targets of what the report holds."""
    found = []
    ratio = report.get("ratio", {})
    for peer, wanted in (("dbos_direct", 20.0), ("celery_chain", 30.0), ("oscar", 5.0)):
        if peer in ratio:
            found.append(Target(f"Holdfast / {peer}", ratio[peer], wanted, "x"))
    latency = report.get("holdfast", {}).get("latency")
    if latency:
        found.append(
            Target("accept to confirmed, median", latency["p50_ms"], 250.0, " ms", most=True)
        )
    if http := report.get("http"):
        found.append(Target("over HTTP", http["confirmed_per_second"], 225.0, "/s"))
    if hot := report.get("hot_product"):
        found.append(Target("one hot product / spread", hot["ratio"], 0.5))
    if growth := report.get("growth"):
        found.append(Target("with finished runs / empty", growth["ratio"], 0.8))
    if "audit" in report:
        found.append(Target("audit violations", report["audit"]["violations"], 0, most=True))
    return found
