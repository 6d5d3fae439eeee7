"""When to try again: a policy is a value, its answer a decision."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Full-jitter exponential backoff (M. Brooker, "Exponential Backoff and Jitter", AWS 2015).

    ``base`` and ``cap`` in seconds; ``max_attempts`` counts the first try;
    ``schedule_to_close`` seconds bound all attempts of a step together.
    """

    max_attempts: int = 8
    base: float = 0.2
    cap: float = 20.0
    schedule_to_close: float = 300.0

    def delay(self, *, attempt: int, elapsed: float, rng: random.Random) -> float | None:
        """Seconds to wait after failed ``attempt`` (1, 2, …), or None to give up."""
        if attempt >= self.max_attempts or elapsed >= self.schedule_to_close:
            return None
        # 2**1024 is more than a float can hold.
        return rng.uniform(0.0, min(self.cap, self.base * 2 ** min(attempt, 64)))


# A day: what only waits for another part is given up by the clock, not by counting.
FOR_EVER = RetryPolicy(max_attempts=30_000, base=0.2, cap=10.0, schedule_to_close=86_400.0)
