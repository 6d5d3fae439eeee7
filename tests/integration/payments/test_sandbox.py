"""The sandbox gateway over HTTP: its manners on the wire and its start."""

import json
import signal
import socket
import subprocess
import sys

import pytest
import urllib3

from tests.gateway import ROOT


def exchange(gateway, raw: bytes) -> bytes:
    """Sends ``raw`` as it is; all that comes back until the gateway closes."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as wire:
        wire.sendall(raw)
        answer = b""
        while chunk := wire.recv(65536):
            answer += chunk
        return answer


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /livez HTTP/1.0\r\n\r\n", 505),
        (b"GET /livez HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /v1/authorizations HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/authorizations HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n", 413),
        (b"POST /v1/authorizations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET /" + b"x" * 20_000, 431),
    ],
)
def test_what_is_no_proper_request_is_answered_and_the_connection_closed(gateway, raw, status):
    answer = exchange(gateway, raw)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert "error" in json.loads(answer.partition(b"\r\n\r\n")[2])


def test_requests_sent_in_one_go_or_in_pieces_are_all_answered(gateway):
    ask = b"GET /v1/payments/none HTTP/1.1\r\n\r\n"
    last = b"GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n"
    answer = exchange(gateway, ask * 3 + last)
    assert answer.count(b"HTTP/1.1 404 ") == 3
    assert answer.count(b"HTTP/1.1 200 ") == 1
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as wire:
        for byte in ask:
            wire.sendall(bytes([byte]))
        assert wire.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_it_is_alive(gateway):
    answer = urllib3.request("GET", f"{gateway.url}/livez")
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def start(gateway, port: int, data) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "apps.payments.sandbox", "--port", str(port)]
    return subprocess.run(
        [*command, "--data", str(data)], cwd=ROOT, capture_output=True, text=True, timeout=30
    )


def test_a_second_gateway_on_the_same_port_says_why_it_does_not_start(gateway, tmp_path):
    done = start(gateway, gateway.port, tmp_path / "other")
    assert done.returncode == 1
    assert done.stderr.startswith(f"sandbox gateway: cannot listen on 127.0.0.1:{gateway.port}")
    assert "Traceback" not in done.stderr


def test_a_second_gateway_on_the_same_record_does_not_start(gateway):
    done = start(gateway, 0, gateway.data)
    assert done.returncode == 1
    assert done.stderr.startswith("sandbox gateway: cannot open its record")
    assert "Traceback" not in done.stderr


def test_it_stops_when_told_to(gateway):
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(timeout=10) == 0
