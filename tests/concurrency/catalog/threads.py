"""Real threads that start together, each with connections of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Runs the jobs at the same moment; what each returned or raised, in their order."""
    barrier = threading.Barrier(len(jobs), timeout=20)

    def run(job: Callable[[], Any]) -> Any:
        try:
            connections["catalog"].ensure_connection()
            barrier.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(run, job) for job in jobs]
        return [one.exception(60) or one.result() for one in futures]


def failures(answers: Sequence[Any]) -> list[BaseException]:
    return [one for one in answers if isinstance(one, BaseException)]
