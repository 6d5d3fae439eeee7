"""What became of what was to be recorded, for Prometheus (``project.metrics``)."""

from prometheus_client import Counter

RECORDED = Counter(
    "holdfast_engagement_recorded",
    "Views and searches by what became of them: written, full (the buffer was), away (Redis was).",
    ["outcome"],
    registry=None,
)


def written(count: int) -> None:
    RECORDED.labels("written").inc(count)


def full(count: int) -> None:
    RECORDED.labels("full").inc(count)


def away(count: int) -> None:
    RECORDED.labels("away").inc(count)
