"""A definition as a Mermaid flowchart: forward from top to bottom, back beside it."""

from collections.abc import Iterator

from apps.sagas.definition import Saga, StepKind

SHAPES = {  # of the boxes, by what a step is
    StepKind.COMPENSATABLE: ("[", "]"),
    StepKind.PIVOT: ("{{", "}}"),
    StepKind.RETRIABLE: ("[[", "]]"),
}
DONE = ("([", "])")  # with the start of the run


def diagram(saga: Saga) -> str:
    """The flowchart's source."""
    return "\n".join(["flowchart TB", *(f"    {line}" for line in _lines(saga))])


def _lines(saga: Saga) -> Iterator[str]:
    for number, step in enumerate(saga.steps):
        opening, closing = SHAPES[step.kind] if step.forward else DONE
        yield f's{number}{opening}"{step.name}"{closing}'
    yield " ==> ".join(f"s{number}" for number in range(len(saga.steps))) + " ==> done((completed))"
    backward = [number for number, step in enumerate(saga.steps) if step.compensation]
    for number in backward:
        yield f'c{number}["undo {saga.steps[number].name}"]'
    if backward:
        path = " -.-> ".join(f"c{number}" for number in reversed(backward))
        yield f"{path} -.-> undone((compensated))"
    yield from _turns(saga)
    yield 'parked[/"parked: wants a person"/]'


def _turns(saga: Saga) -> Iterator[str]:
    """From each step to where its no, and where giving it up, leads."""
    for number, step in enumerate(saga.steps):
        if step.forward is None:
            continue
        no, given_up = _back(saga, number - 1), _back(saga, number)
        if number > saga.pivot:
            yield f"s{number} -. no, given up .-> parked"
        elif number == saga.pivot:
            yield f"s{number} -. no .-> {no}"
            yield f"s{number} -. given up .-> parked"
        elif no == given_up:
            yield f"s{number} -. no, given up .-> {no}"
        else:
            yield f"s{number} -. no .-> {no}"
            yield f"s{number} -. given up .-> {given_up}"


def _back(saga: Saga, position: int) -> str:
    """The first compensation of a run that turns back from ``position``."""
    first = saga.compensation_from(position)
    return f"c{first}" if first >= 0 else "undone((compensated))"
