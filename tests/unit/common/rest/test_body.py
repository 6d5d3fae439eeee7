"""Chunked bodies reach the application with a length, and never more than one byte too many."""

import io

import pytest

from apps.common.rest.body import with_chunked_bodies

LIMIT, LARGER = 100, 200


@pytest.fixture(autouse=True)
def _limits(settings):
    settings.API_MAX_BODY_BYTES = LIMIT
    settings.API_BODY_LIMITS = {"/large": LARGER}


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a socket does."""

    def read(self, size=-1):
        return super().read(min(size, 7))


def seen(environ):
    """What the application is handed, and what it could read."""

    def application(environ, start_response):
        return [environ["CONTENT_LENGTH"], environ["wsgi.input"].read()]

    return with_chunked_bodies(application)(environ, None)


@pytest.mark.parametrize("size, length", [(0, 0), (1, 1), (100, 100), (101, 101), (5_000, 101)])
def test_a_chunked_body_gets_a_length(size, length):
    stream = Trickle(b"x" * size)
    environ = {"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input": stream}
    assert seen(environ) == [str(length), b"x" * length]
    assert stream.tell() == length


def test_any_other_body_is_left_alone():
    stream = io.BytesIO(b"abc")
    assert seen({"CONTENT_LENGTH": "3", "wsgi.input": stream}) == ["3", b"abc"]


def test_an_address_may_have_a_limit_of_its_own():
    stream = Trickle(b"x" * 5_000)
    environ = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "PATH_INFO": "/large",
        "wsgi.input": stream,
    }
    assert seen(environ) == [str(LARGER + 1), b"x" * (LARGER + 1)]
