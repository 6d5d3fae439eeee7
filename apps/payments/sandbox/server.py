"""HTTP/1.1 for the sandbox: one thread, batches of requests, one disk flush per batch.

The requests that arrive while a batch is written form the next one, so the more clients there
are the more share a flush, and every answer leaves after the flush that covers it.
"""

import asyncio
import logging
from http import HTTPStatus

from apps.payments.sandbox.bank import Bank, Reply, Request, Then, error

MAX_HEAD = 16 * 1024
MAX_BODY = 64 * 1024
LIVE = Reply(200, b'{"status":"ok"}')
logger = logging.getLogger("sandbox")


class BadRequest(Exception):
    """What arrived is not a request this server takes; ``reply`` says why."""

    def __init__(self, status: int, code: str):
        super().__init__(code)
        self.reply = error(status, code)


def parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    """Method, target and headers (names in lower case) of a request head."""
    try:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, version = first.split(" ")
        headers = {}
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError(line)
            headers[name.lower()] = value.strip()
    except ValueError:
        raise BadRequest(400, "malformed_request") from None
    if version != "HTTP/1.1":
        raise BadRequest(505, "http_version_not_supported")
    return method, target, headers


def body_length(headers: dict[str, str]) -> int:
    """How many bytes follow the head."""
    if "transfer-encoding" in headers:
        raise BadRequest(411, "length_required")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdecimal():
        raise BadRequest(400, "malformed_request")
    if len(length) > 9 or int(length) > MAX_BODY:
        raise BadRequest(413, "too_large")
    return int(length)


class Desk:
    """Collects requests and answers them batch by batch."""

    def __init__(self, bank: Bank):
        self.bank = bank
        self.waiting: list[tuple[Connection, Request]] = []

    def submit(self, connection: "Connection", request: Request) -> None:
        """Takes ``request``; its answer goes to ``connection`` once it is on disk."""
        if not self.waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self.waiting.append((connection, request))

    def flush(self) -> None:
        """Answers what is waiting."""
        batch, self.waiting = self.waiting, []
        try:
            with self.bank.record.transaction():
                replies = [self.bank.handle(request) for _, request in batch]
        except Exception:  # whatever it is: nothing of the batch happened, and each is told so
            logger.exception("a batch was rolled back")
            replies = [error(500, "internal_error")] * len(batch)
        for (connection, _), reply in zip(batch, replies, strict=True):
            connection.reply(reply)


class Connection(asyncio.Protocol):
    """One client: a request at a time, kept alive."""

    def __init__(self, desk: Desk):
        self.desk = desk
        self.buffer = bytearray()
        self.busy = False
        self.close_after = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self.take()
        elif len(self.buffer) > MAX_HEAD + MAX_BODY:
            self.transport.close()

    def take(self) -> None:
        """Takes the next request if all of it has arrived."""
        try:
            request = self.next_request()
        except BadRequest as bad:
            self.close_after = True
            self.reply(bad.reply)
            return
        if request is None:
            return
        self.busy = True
        if request.path == "/livez":
            self.reply(LIVE)
        else:
            self.desk.submit(self, request)

    def next_request(self) -> Request | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0 and len(self.buffer) <= MAX_HEAD:
            return None
        if not 0 <= end <= MAX_HEAD:
            raise BadRequest(431, "head_too_large")
        method, target, headers = parse_head(bytes(self.buffer[:end]))
        stop = end + 4 + body_length(headers)
        if len(self.buffer) < stop:
            return None
        body = bytes(self.buffer[end + 4 : stop])
        del self.buffer[:stop]
        self.close_after = headers.get("connection", "").lower() == "close"
        path, _, query = target.partition("?")
        return Request(method, path, query, headers.get("idempotency-key", ""), body)

    def reply(self, reply: Reply) -> None:
        """Sends ``reply`` – or does not, if the card wants it so."""
        if self.transport is None or reply.then is Then.HANG:
            return  # a hanging connection stays busy until the client gives up
        if reply.then is Then.DROP:
            self.transport.abort()
            return
        self.transport.write(
            b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (
                reply.status,
                HTTPStatus(reply.status).phrase.encode(),
                len(reply.body),
                b"Connection: close\r\n" if self.close_after else b"",
                reply.body,
            )
        )
        if self.close_after:
            self.transport.close()
            return
        self.busy = False
        if self.buffer:
            self.take()


async def serve(bank: Bank, host: str, port: int, stop: asyncio.Event) -> None:
    """Serves until ``stop`` is set; raises ``OSError`` if the port cannot be had."""
    desk = Desk(bank)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(desk), host, port, backlog=512)
    address = server.sockets[0].getsockname()
    print(f"sandbox gateway on http://{address[0]}:{address[1]}", flush=True)
    await stop.wait()
    server.close()
    if desk.waiting:
        desk.flush()
