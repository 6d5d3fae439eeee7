"""For who follows runs that their participants carry on by events: see ``engine.choreography``."""

from apps.sagas.engine.choreography import (
    BACKWARD,
    FORWARD,
    Held,
    Note,
    finish,
    hold,
    look_again,
    note,
    park,
    register_overseer,
    turn,
)

__all__ = [
    "BACKWARD",
    "FORWARD",
    "Held",
    "Note",
    "finish",
    "hold",
    "look_again",
    "note",
    "park",
    "register_overseer",
    "turn",
]
