"""Bodies as the real server hands them over: chunked ones too, and never a large one."""

import os
import socket
import subprocess
import sys

import pytest
import urllib3

LOGIN = "/_allauth/app/v1/auth/login"
JSON = {"Content-Type": "application/json"}
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def server():
    """The shop served by granian on a port of its own; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--workers", "1", "project.wsgi:application"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "project.settings"},
    )
    try:
        address = f"http://127.0.0.1:{port}"
        patience = urllib3.Retry(connect=10, backoff_factor=0.1)
        assert urllib3.request("GET", f"{address}/api/", retries=patience).status == 404
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def post(server, body, **options):
    return urllib3.request("POST", server + LOGIN, body=body, headers=JSON, retries=0, **options)


def chunks(size, count):
    return iter([b" " * size] * count)


def test_a_chunked_body_is_read(server):
    missing = {
        e["param"] for e in post(server, iter([b'{"email": ', b'"a@b.cd"}'])).json()["errors"]
    }
    assert missing == {"password"}


@pytest.mark.parametrize(
    "body", [b" " * 10 * MEGABYTE, chunks(MEGABYTE // 4, 5)], ids=["known", "chunked"]
)
def test_a_large_body_is_refused(server, body):
    response = post(server, body)
    assert response.status == 413
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "body_too_large"


def test_an_endless_body_is_refused_before_it_ends(server):
    """Sent by hand, as a client that never finishes its body: the answer comes all the same."""
    host, port = server.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        head = f"POST {LOGIN} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        connection.sendall(b"%x\r\n%s\r\n" % (MEGABYTE + 1, b" " * (MEGABYTE + 1)))
        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")
