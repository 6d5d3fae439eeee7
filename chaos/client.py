"""A client as it should be: repeats with its key until it has an answer."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import urllib3

from chaos.goods import SITE

PAUSE = 0.1  # seconds between two tries


@dataclass
class Answer:
    status: int
    body: Any
    tries: int = 1


@dataclass
class Client:
    """HTTP to the shop; safe to use from many threads. ``troubles`` counts what went wrong and
    was tried again, ``wrong`` tells of answers that no fault explains."""

    troubles: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=40))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str, token: str, *, until: float) -> Answer | None:
        return self.send("GET", path, token, None, until=until)

    def post(self, path: str, token: str, body: dict, *, key: str = "", until: float):
        """The answer, or None if there was none ``until`` then (``time.monotonic()``)."""
        return self.send("POST", path, token, orjson.dumps(body), key=key, until=until)

    def send(
        self,
        method: str,
        path: str,
        token: str,
        data: bytes | None,
        *,
        key: str = "",
        form: str = "application/json",
        until: float,
    ) -> Answer | None:
        """``data`` as it is, of the type ``form``; without a ``token`` as a visitor."""
        headers = {"Content-Type": form} | ({"X-Session-Token": token} if token else {})
        if key:
            headers["Idempotency-Key"] = key
        tries = 0
        while time.monotonic() < until:
            tries += 1
            answer = self._try(method, path, headers, data)
            if answer is not None:
                answer.tries = tries
                return answer
            time.sleep(PAUSE)
        return None

    def _try(self, method: str, path: str, headers: dict, data: bytes | None) -> Answer | None:
        try:
            response = self.pool.request(
                method, SITE + path, body=data, headers=headers, retries=False, timeout=10
            )
            body = orjson.loads(response.data)
        except urllib3.exceptions.HTTPError as error:
            self._count(type(error).__name__)
            return None
        except orjson.JSONDecodeError:
            self.report(f"{method} {path}: {response.status} {response.data[:200]!r}")
            return None
        if response.status == 503 or _still_running(response.status, body):
            self._count(str(response.status))
            return None
        if response.status >= 500:
            self.report(f"{method} {path}: {response.status} {body}")
            return None
        return Answer(response.status, body)

    def report(self, what: str) -> None:
        with self.lock:
            self.wrong.append(what)

    def _count(self, what: str) -> None:
        with self.lock:
            self.troubles[what] += 1


def _still_running(status: int, body: Any) -> bool:
    return status == 409 and str(body.get("type", "")).endswith("request_in_progress")
