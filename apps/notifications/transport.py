"""A connection to the mail server that Django's settings name, and what its answers mean."""

import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.core.mail import EmailMessage, get_connection

log = structlog.get_logger(__name__)
# The longest one mail may take, whatever the server dribbles; a lease is longer.
SEND_SECONDS = 30.0


class ServerAway(Exception):
    """The mail server cannot be reached, or takes no mail from us at all: no mail's fault."""


@dataclass(frozen=True, slots=True)
class Accepted:
    pass


@dataclass(frozen=True, slots=True)
class Refused:
    """``for_good``: asking again would give the same answer. Else nothing is known, or it was only
    for now."""

    why: str
    for_good: bool


class Transport:
    """One connection, opened when needed and kept until ``close``; for one thread."""

    def __init__(self):
        self._backend = None

    @property
    def is_open(self) -> bool:
        return self._backend is not None

    def open(self) -> None:
        """Raises ``ServerAway``."""
        if self._backend is not None:
            return
        backend = get_connection()
        try:
            backend.open()
        except (OSError, smtplib.SMTPException) as error:
            raise ServerAway(_words(error)) from error
        self._backend = backend

    def send(self, message: EmailMessage) -> Accepted | Refused:
        """Offers ``message`` to the server; ``open`` first."""
        try:
            with self._cut_off_in_time():
                self._backend.send_messages([message])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, text), *_] = error.recipients.values()
            return Refused(_answer(code, text), for_good=500 <= code < 600)
        except smtplib.SMTPDataError as error:
            return Refused(_words(error), for_good=500 <= error.smtp_code < 600)
        except smtplib.SMTPResponseException as error:
            # About us or the session, not about this mail.
            self.close()
            return Refused(_words(error), for_good=False)
        except (OSError, smtplib.SMTPException) as error:  # time-outs and cut connections, too
            self.close()
            return Refused(_words(error), for_good=False)
        except ValueError as error:  # an address or a header that no message can have
            return Refused(_words(error), for_good=True)
        return Accepted()

    def close(self) -> None:
        """Says goodbye where somebody listens."""
        backend, self._backend = self._backend, None
        if backend is None:
            return
        try:
            backend.close()
        except (OSError, smtplib.SMTPException) as error:
            log.debug("mail.goodbye_unheard", error=_words(error))

    @contextmanager
    def _cut_off_in_time(self) -> Iterator[None]:
        """Each answer has its time-out; this bounds all of them together."""
        session = getattr(self._backend, "connection", None)
        line = getattr(session, "sock", None)
        if line is None:
            yield
            return
        timer = threading.Timer(SEND_SECONDS, _cut, [line])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _cut(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was closed meanwhile


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {said}".strip()


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    return f"{type(error).__name__}: {error}".rstrip(": ")
