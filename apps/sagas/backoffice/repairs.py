"""The buttons of a run's page, and their form."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django import forms

from apps.sagas import facade
from apps.sagas.contracts import RunState


@dataclass(frozen=True, slots=True)
class Repair:
    """``name`` is the facade's; ``tells`` says what will happen, ``done`` what has."""

    name: str
    title: str
    icon: str
    tells: str
    done: str
    act: Callable[[UUID, int | None, str], RunState]
    tone: str = "plain"


REPAIRS = (
    Repair(
        "retry",
        "Retry",
        "replay",
        "The run is due now, with fresh attempts and the same keys: what was done already is found"
        " and not done twice. If its compensations were given up, those are tried again, and only"
        " those.",
        "is due now",
        facade.retry_run,
        tone="primary",
    ),
    Repair(
        "compensate",
        "Turn back",
        "undo",
        "Everything the run has done, or may have done, is undone in reverse. A run that is under"
        " way is asked to turn before its next step. Past its point of no return this is refused:"
        " a captured payment is only given back by a cancellation or a return.",
        "turns back",
        facade.compensate_run,
        tone="danger",
    ),
    Repair(
        "park",
        "Park",
        "front_hand",
        "No worker touches the run until somebody sends it on. Nothing is undone. Its order stays"
        " as it is meanwhile, and so does what is reserved or authorized for it.",
        "is parked",
        facade.park_run,
    ),
    Repair(
        "mark_done",
        "Mark step as done",
        "task_alt",
        "You declare that the step below was done outside of this engine. It is believed: nothing"
        " is asked at the gateway or in the warehouse, and the run goes on from there. The audit"
        " will name whatever does not match.",
        "goes on: its step counts as done",
        facade.mark_step_done,
        tone="danger",
    ),
)
BY_NAME = {repair.name: repair for repair in REPAIRS}


class ReasonForm(forms.Form):
    """Why; noted with the person's name."""

    reason = forms.CharField(
        max_length=facade.MOST_REASON,
        strip=True,
        widget=forms.Textarea(attrs={"rows": 3, "class": "desk-input"}),
        help_text=f"At most {facade.MOST_REASON} characters. It stays in the run's log.",
    )


class RepairForm(ReasonForm):
    """``version`` is the one the page showed: a newer run is not touched."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
