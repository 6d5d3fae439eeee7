"""``docs/sagas.md`` says what the definitions say."""

from dataclasses import replace
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from apps.sagas import definition
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.documentation import document
from apps.sagas.documentation.diagram import diagram
from apps.sagas.documentation.generating import does, duration, tries
from apps.sagas.retry import RetryPolicy

FILE = settings.BASE_DIR / "docs" / "sagas.md"


def work(calls):
    """Does its work.

    And more.
    """
    return [Outcome.success() for _ in calls]


def test_the_document_is_not_stale():
    assert FILE.read_text() == document(definition.registered()), "run `make docs`"


def test_a_changed_definition_is_noticed(tmp_path):
    copy = tmp_path / "sagas.md"
    call_command("saga_docs", file=copy, stdout=StringIO())
    call_command("saga_docs", file=copy, check=True)
    saga = definition.lookup("checkout", 1)
    first = replace(saga.steps[1], start_to_close=7.5)
    changed = replace(saga, steps=(saga.steps[0], first, *saga.steps[2:]))
    definition.register(changed)
    try:
        assert "| 7.5 s |" in document(definition.registered())
        with pytest.raises(CommandError, match="stale"):
            call_command("saga_docs", file=copy, check=True)
    finally:
        definition.register(saga)


def test_every_participant_says_what_it_does():
    silent = [
        f"{saga.kind}.{step.name}"
        for saga in definition.registered()
        for step in saga.steps
        for participant in (step.forward, step.compensation)
        if participant and not does(participant)
    ]
    assert silent == []


def test_a_diagram_leads_back_from_each_step_to_what_undoes_it():
    nothing = Participant(work)
    saga = Saga(
        "x",
        1,
        (
            Step("begin", None, nothing),
            Step("one", nothing),
            Step("two", nothing, nothing),
            Step("point", nothing, kind=StepKind.PIVOT),
            Step("last", nothing, kind=StepKind.RETRIABLE),
        ),
    )
    lines = [line.strip() for line in diagram(saga).splitlines()]
    assert lines[6:] == [
        "s0 ==> s1 ==> s2 ==> s3 ==> s4 ==> done((completed))",
        'c0["undo begin"]',
        'c2["undo two"]',
        "c2 -.-> c0 -.-> undone((compensated))",
        "s1 -. no, given up .-> c0",
        "s2 -. no .-> c0",
        "s2 -. given up .-> c2",
        "s3 -. no .-> c2",
        "s3 -. given up .-> parked",
        "s4 -. no, given up .-> parked",
        'parked[/"parked: wants a person"/]',
    ]


def test_policies_and_times_in_words():
    assert does(Participant(work)) == "Does its work."
    policy = RetryPolicy(max_attempts=8, cap=20.0, schedule_to_close=300.0)
    assert tries(policy) == "8 or 5 min; waits up to 20 s"
    assert [duration(one) for one in (0.5, 90, 120, 5400, 3600, 172_800)] == [
        *("0.5 s", "90 s", "2 min", "90 min", "1 h", "2 d"),
    ]
