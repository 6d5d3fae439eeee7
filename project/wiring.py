"""What lower rooms need to know of upper ones, registered once at start."""


def wire() -> None:
    """Registers sagas and event handlers; called when the apps are ready."""
