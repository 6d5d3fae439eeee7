"""The world outside: it knows each key for ever, and may be asked by anybody at any time."""


class Bank:
    """Answers by key; ``moves`` is what it did, in order."""

    def __init__(self):
        self.answers: dict[str, str] = {}
        self.moves: list[tuple[str, str]] = []

    def ask(self, run: str, operation: str, refuse: bool = False) -> str:
        """``ok`` or ``no``: the first answer to the key ``run:operation`` counts for ever."""
        key = f"{run}:{operation}"
        if key not in self.answers:
            done = [one for known, one in self.moves if known == run]
            allowed = {"authorize": [], "capture": ["authorize"], "void": ["authorize"]}[operation]
            self.answers[key] = "no" if refuse or done != allowed else "ok"
            if self.answers[key] == "ok":
                self.moves.append((run, operation))
        return self.answers[key]

    def moves_of(self, run: str) -> tuple[str, ...]:
        return tuple(one for known, one in self.moves if known == run)
