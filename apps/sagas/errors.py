"""What can be wrong with a wish of staff about a run."""

from apps.common.errors import Conflict, InvalidTransition, NotFound, VersionConflict


class RunNotFound(NotFound):
    title = "No such saga run"


class RunHeld(Conflict):
    """A worker has the run; what it writes and what a person writes would cross."""

    code, title = "run_held", "A worker has this run just now; try again in a moment"


class NotRepairable(InvalidTransition):
    """The run's state does not allow it; ``detail`` says why."""

    title = "The run's state does not allow this"


def changed_meanwhile(version: int) -> VersionConflict:
    """The error for a stale ``version``; carries the present one."""
    return VersionConflict(f"the run is at version {version} now", version=version)
