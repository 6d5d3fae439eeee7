"""Carries out the plan: each fault at its time, again where there was nothing to break."""

import random
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import redis
import urllib3

from apps.messaging.brokers.base import BrokerDown
from chaos.faults import FAULTS, Broken
from chaos.report import History
from chaos.schedule import Planned

TRIES, PAUSE = 8, 1.0  # seconds
AT_ONCE = 8  # faults under way
UNREACHABLE = (
    *(psycopg.Error, redis.RedisError, urllib3.exceptions.HTTPError, OSError),
    *(BrokerDown, subprocess.TimeoutExpired),
)


class Injector:
    def __init__(self, plan: Sequence[Planned], broken: Broken, history: History):
        self.plan, self.broken, self.history = plan, broken, history
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="injector", daemon=True)

    def start(self) -> None:
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """No further faults; returns once all that lasted is put right."""
        self._stopping.set()
        self._thread.join()

    def make_up(self, kinds: Sequence[str], seed: int) -> None:
        """Once the plan is carried out: injects those that came too rarely, one by one."""
        self._thread.join()
        for number, kind in enumerate(kinds):
            if not self._stopping.is_set():
                self._inject(Planned(0.0, kind, seed + number))

    def _run(self) -> None:
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fault") as pool:
            for planned in self.plan:
                if self._stopping.wait(max(self._began + planned.at - time.monotonic(), 0)):
                    break
                pool.submit(self._inject, planned)

    def _inject(self, planned: Planned) -> None:
        rng, why = random.Random(planned.seed), "nothing to break"
        for _ in range(TRIES):
            began = time.monotonic()
            try:
                detail = FAULTS[planned.kind](self.broken, rng)
            except UNREACHABLE as error:  # another fault's doing
                detail, why = None, f"{type(error).__name__}: {error}".split("\n")[0]
            if detail is not None:
                self.history.injected(planned.kind, detail, began)
                return
            if self._stopping.wait(PAUSE):
                break
        self.history.missed[planned.kind] += 1
        self.history.tell(f"missed {planned.kind}", why)
