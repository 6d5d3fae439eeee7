"""Clients that order over HTTP, one request after the other on a connection each.

Blocking sockets and bytes made beforehand, so that the load costs the machine next to nothing.
"""

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.sagas.peers.job import serve

ADDRESS = {
    "name": "Bench",
    "line1": "1 High Street",
    "city": "York",
    "postal_code": "YO1 7HH",
    "country": "GB",
}


class Connection:
    """A keep-alive connection to ``host``; ``head`` are the lines of every request's head."""

    def __init__(self, host: str, port: int, head: str):
        self.socket = socket.create_connection((host, port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = (
            f"Host: {host}:{port}\r\nContent-Type: application/json\r\n"
            f"Accept: application/json\r\n{head}"
        )

    def post(self, path: str, body: str, head: str = "") -> tuple[int, bytes]:
        """The status and body of the answer."""
        head = f"POST {path} HTTP/1.1\r\n{self.head}{head}Content-Length: {len(body)}\r\n\r\n"
        self.socket.sendall(f"{head}{body}".encode())
        return self._answer()

    def _answer(self) -> tuple[int, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(names[b"content-length"]):
            body += self._more()
        return int(head[9:12]), body

    def _more(self) -> bytes:
        if not (data := self.socket.recv(65536)):
            raise SystemExit("the web server closed the connection")
        return data


class Client:
    """A customer of Holdfast."""

    def __init__(self, job: dict, number: int):
        head = f"X-Session-Token: {job['tokens'][number]}\r\n"
        self.connection = Connection(job["host"], job["port"], head)
        self.prefix = f"{job['prefix']}-{number}"

    def order(self, number: int, product: str) -> int:
        """Places an order of one piece; the answer's status."""
        body = json.dumps(
            {
                "lines": [{"product_id": product, "quantity": 1}],
                "payment": {"card_token": "tok_approve"},
                "shipping_address": ADDRESS,
            }
        )
        key = f"Idempotency-Key: {self.prefix}-{number}\r\n"
        return self.connection.post("/api/v1/orders", body, key)[0]


def prepare(job: dict, client_of: Callable[[dict, int], Any] = Client) -> Callable[[], dict]:
    """Connects one client for each token and lets each order once."""
    clients = [client_of(job, number) for number in range(len(job["tokens"]))]
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
