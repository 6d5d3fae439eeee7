"""Headers with a meaning of their own."""

import pytest
from django.test import RequestFactory

from apps.common.errors import InvalidInput
from apps.common.rest.headers import (
    etag_of,
    idempotency_key,
    if_match_version,
    prefer_wait,
    tagged,
    versioned_etag,
)


def request(**headers):
    return RequestFactory().get("/", headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    "raw, key",
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ('"a b"', "a b"),
        (r'"a\"b\\c"', 'a"b\\c'),
        ("a" * 255, "a" * 255),
        ('"' + "a" * 255 + '"', "a" * 255),
        ("order:7/b", "order:7/b"),
    ],
)
def test_reads_the_idempotency_key_bare_or_quoted(raw, key):
    assert idempotency_key(request(Idempotency_Key=raw)) == key


@pytest.mark.parametrize(
    "raw, code",
    [
        (None, "required"),
        ("", "required"),
        ("  ", "required"),
        ('""', "invalid"),
        ('"abc', "invalid"),
        ('"abc";a=1', "invalid"),
        ('"a", "b"', "invalid"),
        (r'"a\n"', "invalid"),
        ("schlüssel", "invalid"),
        ("a\tb", "invalid"),
        ("a\x00b", "invalid"),
        ("a" * 256, "max_length"),
        ('"' + "a" * 256 + '"', "max_length"),
    ],
)
def test_refuses_other_idempotency_keys(raw, code):
    with pytest.raises(InvalidInput) as refused:
        idempotency_key(request(**({} if raw is None else {"Idempotency_Key": raw})))
    [error] = refused.value.errors
    assert (error.field, error.code) == ("Idempotency-Key", code)


@pytest.mark.parametrize(
    "raw, seconds",
    [
        ("wait=5", 5),
        ("respond-async, wait=5", 5),
        ('Wait = "3"; x=1', 3),
        ("wait=100", 10),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait", 0),
        ("wait=99999999999", 0),
        ("await=5", 0),
        ("", 0),
    ],
)
def test_reads_how_long_the_caller_would_wait(raw, seconds, settings):
    settings.API_MAX_WAIT_SECONDS = 10
    assert prefer_wait(request(Prefer=raw)) == seconds


def test_etags_follow_the_content():
    assert etag_of({"a": 1}) == etag_of({"a": 1})
    assert etag_of({"a": 1}) != etag_of({"a": 2})
    assert etag_of({"a": 1}, weak=True) == f"W/{etag_of({'a': 1})}"


@pytest.mark.parametrize(
    "known, status",
    [
        ('"7"', 304),
        ('W/"7"', 304),
        ('"6", "7"', 304),
        ("*", 304),
        ('"6"', 200),
        ("7", 200),
        ("", 200),
    ],
)
@pytest.mark.parametrize("etag", ['"7"', 'W/"7"'])
def test_a_known_etag_is_answered_without_a_body(known, status, etag):
    response = tagged(request(If_None_Match=known), {"a": 1}, etag=etag)
    assert (response.status_code, response["ETag"]) == (status, etag)
    assert getattr(response, "data", None) == (None if status == 304 else {"a": 1})


@pytest.mark.parametrize(
    "raw, version",
    [(None, None), ("*", None), ('"7"', 7), (' "0" ', 0), (versioned_etag(7, {"a": 1}), 7)],
)
def test_reads_the_expected_version(raw, version):
    assert if_match_version(request(**({} if raw is None else {"If_Match": raw}))) == version


@pytest.mark.parametrize(
    "raw", ["7", 'W/"7"', '"7.5"', '"7", "8"', '"a"', '"-1"', '"' + "9" * 19 + '"']
)
def test_refuses_other_expected_versions(raw):
    with pytest.raises(InvalidInput) as refused:
        if_match_version(request(If_Match=raw))
    assert refused.value.errors[0].field == "If-Match"
