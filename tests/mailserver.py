"""A mail server that does as it is told: it takes mails, refuses, dawdles, hangs up."""

import email
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default

import pytest

from tests.processes import eventually


@dataclass
class MailServer:
    """What it does to whom is by the recipient's address; nothing said, it takes the mail.

    ``recipients``: the answer to RCPT; ``mails``: the answer to a mail. ``hang_up``: takes the
    mail and says nothing, as often as it says here. ``hold``: answers once the event is set.
    """

    port: int = 0
    recipients: dict[str, str] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    hang_up: dict[str, int] = field(default_factory=dict)
    hold: dict[str, threading.Event] = field(default_factory=dict)
    taken: list[EmailMessage] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def taken_by(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.taken if mail["To"] == address]

    def wait_for(self, count: int, *, seconds: float = 20.0) -> None:
        eventually(lambda: len(self.taken) >= count, seconds=seconds, every=0.01)


class Session(socketserver.StreamRequestHandler):
    """One client's commands, one after the other (RFC 5321, the little that is needed)."""

    def handle(self) -> None:
        self.to = ""
        self.say("220 test ready")
        while line := self.rfile.readline():
            if not self.answer(line.decode().strip()):
                return

    def answer(self, line: str) -> bool:
        """Whether the session goes on."""
        word = line.upper().partition(" ")[0]
        if word == "RCPT":
            self.to = line.partition("<")[2].partition(">")[0]
            self.mail_server.asked.append(self.to)
            self.say(self.mail_server.recipients.get(self.to, "250 fine"))
        elif word == "DATA":
            self.say("354 go on")
            return self.take(b"".join(iter(self.rfile.readline, b".\r\n")))
        elif word == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 fine")
        return True

    def take(self, data: bytes) -> bool:
        server, to = self.mail_server, self.to
        if to in server.hold:
            server.hold[to].wait(20)
        refusal = server.mails.get(to)
        with server.lock:
            silent = server.hang_up.get(to, 0) > 0
            if silent:
                server.hang_up[to] -= 1
            if refusal is None:
                server.taken.append(email.message_from_bytes(data, policy=default))
        if silent:
            return False
        self.say(refusal or "250 taken")
        return True

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    @property
    def mail_server(self) -> MailServer:
        return self.server.mail_server


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address) -> None:
        """Clients that are killed hang up in the middle of a word."""


def listen(server: MailServer) -> Listener:
    """Starts answering for ``server``, at its port where it has one."""
    listener = Listener(("127.0.0.1", server.port), Session)
    listener.mail_server = server
    server.port = listener.server_address[1]
    threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
    return listener


@pytest.fixture
def mail_server(settings) -> Iterator[MailServer]:
    """A running one, which Django's settings name."""
    server = MailServer()
    listener = listen(server)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    listener.shutdown()
    listener.server_close()
