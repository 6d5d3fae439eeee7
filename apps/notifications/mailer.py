"""Sends what is due: a few threads, each with a connection of its own to the mail server.

They look for work by themselves, so nothing hangs on being told of it. A mail server that is away
costs no mail an attempt; one that is slow holds up the mails in its hands, nobody's checkout.
"""

import random
import threading
import time

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from apps.common.correlation import request_id_bound
from apps.notifications import claiming
from apps.notifications.claiming import MOST_ATTEMPTS, Claimed
from apps.notifications.rendering import message
from apps.notifications.transport import Accepted, Refused, ServerAway, Transport
from apps.sagas.retry import RetryPolicy

log = structlog.get_logger(__name__)
# Ten attempts over some two hours, seconds.
AGAIN = RetryPolicy(
    max_attempts=MOST_ATTEMPTS, base=5.0, cap=1_800.0, schedule_to_close=float("inf")
)
# Between two calls at a server that does not answer.
AWAY = RetryPolicy(max_attempts=2**31, base=0.5, cap=30.0, schedule_to_close=float("inf"))
LOOK_EVERY = 1.0  # seconds of an idle thread
BATCH_SECONDS = 5.0  # then the rest of a batch is for others


class Sender:
    """One thread's work: claims mails, sends them one by one, notes what came of each."""

    def __init__(self, stop: threading.Event, *, rng: random.Random | None = None):
        self._stop = stop
        self._rng = rng or random.Random()  # noqa: S311 (jitter)
        self._transport = Transport()
        self._away = 0

    def run(self) -> None:
        """Until ``stop`` is set; outlives whatever happens to databases and mail servers."""
        while not self._stop.is_set():
            try:
                pause = self._turn()
            except (DatabaseError, InterfaceError) as error:
                log.warning("mail.database_away", error=str(error))
                close_old_connections()
                pause = LOOK_EVERY
            if pause:
                self._transport.close()
                self._stop.wait(pause)
        self._transport.close()
        connections.close_all()

    def drain(self) -> int:
        """Sends what is due until nothing is; returns how many the server took. Raises
        ``ServerAway``."""
        accepted = 0
        try:
            while batch := claiming.claim(settings.EMAIL_BATCH):
                self._open(batch)
                accepted += self._send_all(batch)
        finally:
            self._transport.close()
        return accepted

    def _turn(self) -> float:
        """One batch; how many seconds to pause after it."""
        close_old_connections()
        batch = claiming.claim(settings.EMAIL_BATCH)
        if not batch:
            return LOOK_EVERY * self._rng.uniform(0.5, 1.5)
        try:
            self._open(batch)
        except ServerAway as error:
            log.warning("mail.server_away", error=str(error), mails=len(batch))
            return AWAY.delay(attempt=self._away, elapsed=0.0, rng=self._rng) or LOOK_EVERY
        self._send_all(batch)
        return 0.0

    def _open(self, batch: list[Claimed]) -> None:
        """Where the server is away the ``batch`` waits with it, no attempt spent."""
        try:
            self._transport.open()
        except ServerAway as error:
            self._away += 1
            seconds = AWAY.delay(attempt=self._away, elapsed=0.0, rng=self._rng) or LOOK_EVERY
            claiming.put_back(batch, seconds=seconds, error=f"The mail server is away: {error}")
            raise
        self._away = 0

    def _send_all(self, batch: list[Claimed]) -> int:
        """Returns how many the server took. What is left when it was a long time, when the
        connection broke or when we are to stop goes back at once."""
        end = time.monotonic() + BATCH_SECONDS
        accepted = 0
        for number, mail in enumerate(batch):
            accepted += self._send(mail)
            if self._stop.is_set() or time.monotonic() > end or not self._transport.is_open:
                claiming.put_back(batch[number + 1 :], seconds=0.0)
                break
        return accepted

    def _send(self, mail: Claimed) -> bool:
        attempt = claiming.begin(mail)
        if attempt is None:
            return False
        with request_id_bound(mail.correlation_id):
            answer = self._offer(mail)
            match answer:
                case Accepted():
                    claiming.sent(mail)
                    log.info("mail.sent", mail=mail.id, kind=mail.kind, attempt=attempt)
                    return True
                case Refused():
                    self._refused(mail, attempt, answer)
        return False

    def _offer(self, mail: Claimed) -> Accepted | Refused:
        try:
            one = message(
                event_id=mail.event_id, kind=mail.kind, copy=mail.copy, content=mail.content
            )
        except Exception as error:  # a template's bug: this mail waits for its repair, no other
            log.exception("mail.not_rendered", mail=mail.id, kind=mail.kind)
            return Refused(f"It could not be made: {error!r}", for_good=False)
        return self._transport.send(one)

    def _refused(self, mail: Claimed, attempt: int, answer: Refused) -> None:
        pause = AGAIN.delay(attempt=attempt, elapsed=0.0, rng=self._rng)
        if answer.for_good or pause is None:
            claiming.failed(mail, answer.why)
            log.error("mail.failed", mail=mail.id, kind=mail.kind, why=answer.why, attempt=attempt)
        else:
            claiming.put_back([mail], seconds=pause, error=answer.why)
            log.warning("mail.again", mail=mail.id, why=answer.why, attempt=attempt, pause=pause)


def send_due() -> int:
    """Sends what is due, here and now; returns how many the server took. Raises ``ServerAway``."""
    return Sender(threading.Event()).drain()


def run(stop: threading.Event) -> None:
    """Sends until ``stop`` is set, in ``EMAIL_SENDERS`` threads; returns when the mails in their
    hands are done."""
    threads = [
        threading.Thread(target=Sender(stop).run, name=f"mail-{number}")
        for number in range(settings.EMAIL_SENDERS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
