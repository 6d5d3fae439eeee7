"""Reads the audit log of staff: what stands in every database, as one list, newest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DatabaseError, InterfaceError
from django.db.models import Q

from apps.messaging.models import StaffChange


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes: by person (part of the name), subject and its id, and time."""

    person: str = ""
    subject: str = ""
    subject_id: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> Q:
        found = Q()
        if self.person:
            found &= Q(actor_name__icontains=self.person)
        if self.subject:
            found &= Q(subject=self.subject)
        if self.subject_id:
            found &= Q(subject_id=self.subject_id)
        if self.since:
            found &= Q(at__gte=self.since)
        if self.until:
            found &= Q(at__lt=self.until)
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    """One field before and after; None where it was not there."""

    field: str
    before: Any
    after: Any

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the list ended: the next one begins behind it."""

    at: datetime
    database: str
    pk: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}|{self.database}|{self.pk}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """What ``str`` made; None for anything else."""
        try:
            at, database, pk = text.split("|")
            place = cls(datetime.fromisoformat(at), database, int(pk))
        except ValueError:
            return None
        return place if place.at.tzinfo and 0 < place.pk < 2**63 else None


@dataclass(frozen=True, slots=True)
class Page:
    """``rows`` know their database (``_state.db``); ``silent`` ones did not answer."""

    rows: list[StaffChange]
    older: Place | None
    silent: list[str]


def staff_changes(
    wanted: Wanted, *, databases: Sequence[str], limit: int, behind: Place | None = None
) -> Page:
    """Up to ``limit`` changes behind the place given; one short query per database."""
    rows: list[StaffChange] = []
    silent: list[str] = []
    for alias in databases:
        conditions = wanted.conditions()
        if behind is not None:
            conditions &= _behind(behind, alias)
        try:
            found = StaffChange.objects.using(alias).filter(conditions)
            rows += found.order_by("-at", "-id")[: limit + 1]
        except (DatabaseError, InterfaceError):
            silent.append(alias)
    rows.sort(key=_order, reverse=True)
    last = rows[limit - 1] if len(rows) > limit else None
    older = Place(last.at, last._state.db, last.pk) if last else None
    return Page(rows[:limit], older, silent)


def _order(row: StaffChange) -> tuple[datetime, str, int]:
    return row.at, row._state.db, row.pk


def _behind(place: Place, alias: str) -> Q:
    """The rows of ``alias`` that come after ``place`` in the order of ``_order``, descending."""
    if alias < place.database:
        return Q(at__lte=place.at)
    same_moment = Q(at=place.at, pk__lt=place.pk) if alias == place.database else Q(pk__in=())
    return Q(at__lt=place.at) | same_moment


def differences(change: StaffChange) -> list[Difference]:
    """Field by field what the change did, in the order in which it was noted."""
    return list(_differences(change.before or {}, change.after or {}))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for field in {**before, **after}:
        yield Difference(field, before.get(field), after.get(field))
