"""Definitions → Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.documentation.diagram import diagram
from apps.sagas.engine.leases import MAX_CLAIMS
from apps.sagas.engine.outcomes import MAX_RESULT_BYTES
from apps.sagas.engine.state import policy_of
from apps.sagas.models import SagaRun
from apps.sagas.retry import RetryPolicy

INTRODUCTION = Path(__file__).with_name("introduction.md")


def document(sagas: Sequence[Saga]) -> str:
    """The whole of ``docs/sagas.md``."""
    [(_, permission)] = SagaRun._meta.permissions
    introduction = INTRODUCTION.read_text().format(
        max_claims=MAX_CLAIMS, max_result=MAX_RESULT_BYTES // 1024, permission=permission
    )
    return introduction + "".join(f"\n{part}\n" for saga in sagas for part in _saga(saga))


def _saga(saga: Saga) -> Iterator[str]:
    yield f"## {saga.kind.replace('_', ' ').capitalize()}, version {saga.version}"
    yield _facts(saga)
    yield f"```mermaid\n{diagram(saga)}\n```"
    head = ("", "step", "kind", "does", "where", "tries", "one try")
    yield _table(head, (_forward(saga, number) for number in range(len(saga.steps))))
    undone = [step for step in reversed(saga.steps) if step.compensation]
    if undone:
        yield "Undone, in this order:"
        head = ("step", "is undone by", "where", "tries", "one try")
        yield _table(head, (_backward(step) for step in undone))


def _facts(saga: Saga) -> str:
    if saga.pivot < saga.first:
        deadline = "Its point of no return is passed when it starts."
    elif saga.deadline:
        deadline = (
            f"A run that is not past its pivot {duration(saga.deadline)} after its start turns"
            " back, unless it was started with another deadline."
        )
    else:
        deadline = "It has no deadline."
    pivot = saga.steps[saga.pivot].name if saga.pivot < len(saga.steps) else ""
    point = f"Its point of no return is `{pivot}`." if pivot else "It has no point of no return."
    undoes = (
        " The compensations before it undo it too, so that a person may turn back a run that is"
        " parked there without an answer."
        if saga.compensates_pivot
        else ""
    )
    return f"{deadline} {point}{undoes}"


def _forward(saga: Saga, number: int) -> tuple[str, ...]:
    step = saga.steps[number]
    if step.forward is None:
        kind = "" if step.kind is StepKind.COMPENSATABLE else step.kind.value
        start = "Done in the transaction that starts the run."
        return str(number), f"`{step.name}`", kind, start, "own database", "–", "–"
    return (
        str(number),
        f"`{step.name}`",
        step.kind.value,
        does(step.forward),
        where(step.forward),
        tries(policy_of(step, forward=True)),
        duration(step.start_to_close),
    )


def _backward(step: Step) -> tuple[str, ...]:
    return (
        f"`{step.name}`",
        does(step.compensation),
        where(step.compensation),
        tries(policy_of(step, forward=False)),
        duration(step.start_to_close),
    )


def does(participant: Participant) -> str:
    """The first paragraph of what its handler says of itself."""
    text = (participant.execute or participant.submit).__doc__ or ""
    return re.sub(r"\s+", " ", text.strip().split("\n\n")[0])


def where(participant: Participant) -> str:
    """In which of the three ways it works."""
    if participant.local:
        return "own database"
    return "outside" if participant.prepare else "other database"


def tries(policy: RetryPolicy) -> str:
    """A policy in words."""
    most = f"{policy.max_attempts:,} or {duration(policy.schedule_to_close)}"
    return f"{most}; waits up to {duration(policy.cap)}"


def duration(seconds: float) -> str:
    """The largest units that say it exactly: ``900`` → ``15 min``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
