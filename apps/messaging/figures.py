"""Figures of the tables that stand in every database."""

from apps.common.databases import fetch_all, fetch_one


def dead_letters(alias: str) -> list[tuple[str, str, int]]:
    """(consumer, reason, how many) of the dead letters in ``alias`` that wait for a person."""
    return fetch_all(
        alias,
        "SELECT consumer, reason, count(*) FROM messaging_deadletter"
        " WHERE redriven_at IS NULL GROUP BY consumer, reason ORDER BY consumer, reason",
    )


def lease_held(alias: str) -> bool:
    """Whether a relay empties the outbox of ``alias`` now."""
    return fetch_one(
        alias, "SELECT EXISTS (SELECT FROM messaging_relaylease WHERE until > clock_timestamp())"
    )[0]
