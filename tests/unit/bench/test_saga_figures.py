"""What the saga benchmark makes of its measurements."""

from xml.etree import ElementTree

import pytest

from bench.figures import latencies, percentile
from bench.sagas import figures, picture
from bench.sagas.figures import Drain


def drained(seconds: float, setting: str = "", **more) -> Drain:
    cpu = {"python": 1.0, "postgres": 0.5, "redis": 0.0}
    return Drain(1_000, seconds, cpu, 2_000, setting=setting, **more)


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 2.0), (75, 3.0), (76, 4.0), (99, 4.0), (100, 4.0)]
)
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent, expected):
    assert percentile([3.0, 1.0, 4.0, 2.0], percent) == expected


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_side_is_the_median_of_its_best_setting():
    facts = figures.side(
        [
            drained(10.0, "1 thread", commits=30_000),
            drained(5.0, "8 threads", commits=29_000),
            drained(4.0, "8 threads"),
            drained(8.0, "8 threads"),
        ]
    )
    assert facts == {
        "sagas_per_second": 200.0,
        "setting": "8 threads",
        "runs": 1_000,
        "rounds": [200.0, 250.0, 125.0],
        "commits_per_saga": 29.0,
        "write_commits_per_saga": 2.0,
        "cpu_ms_per_saga": {"python": 1.0, "postgres": 0.5, "redis": 0.0},
        "other_settings": {"1 thread": 100.0},
    }


def test_accepting_is_told_where_it_was_measured():
    facts = figures.side([drained(1.0, accept_seconds=2.0, accept_cpu_seconds=3.0)])
    assert (facts["accepted_per_second"], facts["accept_cpu_ms"]) == (500.0, 3.0)


def report() -> dict:
    rates = {"holdfast": 0.4, "dbos_direct": 10.0, "dbos_queued": 20.0, "celery_chain": 12.0}
    sides = {name: figures.side([drained(seconds)]) for name, seconds in rates.items()}
    sides["holdfast"]["latency"] = latencies([10.0, 250.0, 250.0, 400.0])
    return {**sides, "ratio": figures.ratios(sides)}


def test_a_ratio_is_how_many_times_a_peer_holdfast_does():
    assert report()["ratio"] == {"dbos_direct": 25.0, "dbos_queued": 50.0, "celery_chain": 30.0}
    assert list(report()) == [*figures.SIDES, "ratio"]


def test_processor_time_is_compared_beside_the_rates():
    sides = report()
    sides["celery_chain"]["cpu_ms_per_saga"] = {"python": 30.0, "postgres": 3.0}
    assert figures.cpu_ratios(sides) == {
        "dbos_direct": 1.0,
        "dbos_queued": 1.0,
        "celery_chain": 22.0,
    }


def test_targets_judge_what_was_measured():
    met = {one.name: one.passed for one in figures.targets(report())}
    assert met == {
        "Holdfast / dbos_direct": True,
        "Holdfast / celery_chain": True,
        "accept to confirmed, median": True,
    }
    rest = {
        "ratio": {"oscar": 4.9},
        "hot_product": {"ratio": 0.49},
        "growth": {"ratio": 0.79},
        "audit": {"violations": 1},
    }
    assert [one.passed for one in figures.targets(rest)] == [False] * 4


def test_the_picture_is_well_formed_and_names_every_side():
    drawing = ElementTree.fromstring(picture.draw(report()))
    text = "".join(drawing.itertext())
    for name in (
        "Holdfast",
        "DBOS, direct",
        "DBOS, queued",
        "Celery chain",
        "2,500",
        "(Holdfast: 25 ×)",
    ):
        assert name in text
