"""Much work in short transactions."""

from collections.abc import Callable

SIZE = 1_000
MOST = 200_000  # per run: what is left then is there the next time


def in_batches(step: Callable[[int], int], *, size: int = SIZE, most: int = MOST) -> int:
    """Repeats ``step(size)``, which says how many rows it did, until it does fewer than ``size``.

    Returns how many it did in all; stops beyond ``most``.
    """
    done = 0
    while done < most:
        count = step(size)
        done += count
        if count < size:
            break
    return done
