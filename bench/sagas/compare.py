"""The comparison: rounds in which every side takes its turn, beginning with another each time."""

from collections.abc import Callable
from typing import Any

from bench.sagas import figures, rivals
from bench.sagas.draining import drain
from bench.sagas.figures import Drain
from bench.sagas.screen import Progress
from bench.shop import Shop

FULL = 20_000
# Enough for ten seconds and more of each; in proportion where fewer of ours are asked for.
PEER_RUNS = {
    "dbos_direct": 2_000,
    "dbos_queued": 1_500,
    "celery_chain": 1_500,
    "dbos_direct_two_processes": 2_000,
    "celery_chain_acks_early": 2_500,
}
# Not what is compared, but worth knowing: DBOS may run in more than one process, as Holdfast does,
# and a chain that acknowledges before the work is done is faster and loses what a dead worker had.
BESIDE = ("dbos_direct_two_processes", "celery_chain_acks_early")
DIRECT_THREADS = (1, 8, 16)


def compare(shop: Shop, runs: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """The sides' facts and the ratios."""
    drains: dict[str, list[Drain]] = {}
    for number in range(rounds):
        turns = list(_turns(shop, runs, number, drains).items())
        for name, take in turns[number % len(turns) :] + turns[: number % len(turns)]:
            for done in take():
                drains.setdefault(name, []).append(done)
                progress.drained(f"round {number + 1} of {rounds}, {name}", done)
    report: dict[str, Any] = {name: figures.side(drains[name]) for name in figures.SIDES}
    report["ratio"] = figures.ratios(report)
    report["cpu_ratio"] = figures.cpu_ratios(report)
    for name in BESIDE:
        report[name] = figures.side(drains[name])
    return report


def _turns(
    shop: Shop, runs: int, number: int, drains: dict[str, list[Drain]]
) -> dict[str, Callable[[], list[Drain]]]:
    first = number == 0
    count = {name: max(many * min(runs, FULL) // FULL, 200) for name, many in PEER_RUNS.items()}
    # Each of the three once; then the best of them, which is what is compared.
    threads = DIRECT_THREADS
    if drains.get("dbos_direct"):
        threads = (int(figures.best_setting(drains["dbos_direct"]).split()[0]),)
    return {
        "holdfast": lambda: [drain(shop, runs, prefix=f"round-{number}", count_commits=first)],
        "dbos_direct": lambda: [
            rivals.drain_dbos(shop, "direct", one, count["dbos_direct"], count_commits=first)
            for one in threads
        ],
        "dbos_direct_two_processes": lambda: [
            rivals.drain_dbos(shop, "direct", 8, count["dbos_direct_two_processes"], processes=2)
        ],
        "dbos_queued": lambda: [
            rivals.drain_dbos(
                shop, "queued", rivals.QUEUE_THREADS, count["dbos_queued"], count_commits=first
            )
        ],
        "celery_chain": lambda: [
            rivals.drain_chain(shop, count["celery_chain"], acks_late=True, count_commits=first)
        ],
        "celery_chain_acks_early": lambda: [
            rivals.drain_chain(
                shop, count["celery_chain_acks_early"], acks_late=False, count_commits=first
            )
        ],
    }
