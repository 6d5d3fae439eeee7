"""Clients that order over HTTP, one request after the other on a connection each.

Blocking sockets and bytes made beforehand, so that the load costs the machine next to nothing.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable

from bench.sagas.peers.job import serve

ADDRESS = {
    "name": "Bench",
    "line1": "1 High Street",
    "city": "York",
    "postal_code": "YO1 7HH",
    "country": "GB",
}


class Client:
    """A keep-alive connection of one customer."""

    def __init__(self, host: str, port: int, token: str, prefix: str):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.prefix = prefix
        self.head = (
            f"POST /api/v1/orders HTTP/1.1\r\nHost: {host}:{port}\r\nX-Session-Token: {token}\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\n"
        )

    def order(self, number: int, product: str) -> int:
        """Places an order of one piece; the answer's status."""
        body = json.dumps(
            {
                "lines": [{"product_id": product, "quantity": 1}],
                "payment": {"card_token": "tok_approve"},
                "shipping_address": ADDRESS,
            }
        )
        head = f"{self.head}Idempotency-Key: {self.prefix}-{number}\r\n"
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        return self._answer()

    def _answer(self) -> int:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        missing = int(names[b"content-length"]) - len(body)
        while missing > 0:
            missing -= len(self._more())
        return int(head[9:12])

    def _more(self) -> bytes:
        if not (data := self.socket.recv(65536)):
            raise SystemExit("the web server closed the connection")
        return data


def prepare(job: dict) -> Callable[[], dict]:
    """Connects one client for each token and lets each order once."""
    clients = [
        Client(job["host"], job["port"], token, f"{job['prefix']}-{number}")
        for number, token in enumerate(job["tokens"])
    ]
    for client in clients:
        client.order(-1, job["products"][0])
    statuses: Counter[int] = Counter()
    latencies: list[float] = []

    def shop(number: int) -> None:
        for turn in range(number, job["count"], len(clients)):
            asked = time.perf_counter()
            status = clients[number].order(turn, job["products"][turn % len(job["products"])])
            latencies.append((time.perf_counter() - asked) * 1000)
            statuses[status] += 1

    def run() -> dict:
        threads = [threading.Thread(target=shop, args=[one]) for one in range(len(clients))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"statuses": statuses, "latencies_ms": latencies}

    return run


if __name__ == "__main__":
    serve(prepare, lambda: None)
