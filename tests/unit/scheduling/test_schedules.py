"""When the next turn is, and from when on two turns have passed."""

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab, maybe_schedule
from django_celery_beat.clockedschedule import clocked
from django_celery_beat.tzcrontab import TzAwareCrontab

from apps.scheduling.schedules import next_after, overdue_at


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


DAILY = crontab(hour=4, minute=30)
IN_BEATS_TABLE = TzAwareCrontab(hour="4", minute="30", tz=UTC)
WEEKDAYS = crontab(hour=4, minute=30, day_of_week="mon-fri")


@pytest.mark.parametrize(
    ("plan", "moment", "following", "overdue"),
    [
        (maybe_schedule(timedelta(minutes=10)), at(20, 3), at(20, 3, 10), at(20, 3, 20)),
        (DAILY, at(20, 3), at(20, 4, 30), at(21, 4, 30)),
        (DAILY, at(20, 4, 31), at(21, 4, 30), at(22, 4, 30)),
        (IN_BEATS_TABLE, at(20, 4, 31), at(21, 4, 30), at(22, 4, 30)),
        # The 20th is a Friday: nothing is missed over the weekend.
        (WEEKDAYS, at(20, 4, 31), at(23, 4, 30), at(24, 4, 30)),
        (clocked(at(20, 12)), at(20, 3), at(21, 3), at(22, 3)),
    ],
)
def test_turns(plan, moment, following, overdue):
    assert (next_after(plan, moment), overdue_at(plan, moment)) == (following, overdue)
