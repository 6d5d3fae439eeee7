"""What became of what was to be recorded, for Prometheus; the project puts it on its page."""

from prometheus_client import Counter

RECORDED = Counter(
    "holdfast_engagement_recorded",
    "Views and searches by what became of them: written, full (the buffer was), away (Redis was).",
    ["outcome"],
    registry=None,
)
written, full, away = (RECORDED.labels(one) for one in ("written", "full", "away"))
