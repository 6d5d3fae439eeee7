"""A partition of the log for each month, made before the month begins."""

from apps.common.databases import fetch_one
from apps.eventlog.enums import DATABASE


def partitions_make(*, months: int) -> int:
    """Makes those of this month and the next ``months``; how many were missing. What no partition
    holds is kept in the default one."""
    return fetch_one(DATABASE, "SELECT eventlog_make_partitions(%s)", [months])[0]
