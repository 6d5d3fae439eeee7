"""JSON bodies are read strictly."""

import io

import pytest
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError

from apps.common.rest.parsers import MAX_DEPTH, StrictJsonParser, parse
from apps.common.rest.problems import problem_of


def test_reads_every_kind_of_value():
    body = '{"a": [1, -2.5, true, null, "é"], "b": {"a": {}}}'.encode()
    assert parse(body) == {"a": [1, -2.5, True, None, "é"], "b": {"a": {}}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1,}',
        b'{"a": 1} x',
        b'"\xff"',
        b'"\x00"',
        b'"\\ud800"',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_refuses_what_is_not_utf8_json(body):
    with pytest.raises(ParseError) as refused:
        parse(body)
    problem = problem_of(refused.value)
    assert (problem.status, problem.code) == (400, "malformed_json")


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}")])
def test_nests_to_a_limit(opening, closing):
    def body(depth):
        return opening * depth + b"1" + closing * depth

    parse(body(MAX_DEPTH))
    with pytest.raises(ParseError) as refused:
        parse(body(MAX_DEPTH + 1))
    assert problem_of(refused.value).code == "too_deep"


@pytest.mark.parametrize(
    "body, field",
    [
        (b'{"a": 1, "a": 1}', "a"),
        (b'{"a": 1, "\\u0061": 2}', "a"),
        (b'{"x": [{"quantity": 1, "quantity": 2}]}', "quantity"),
    ],
)
def test_refuses_a_name_given_twice(body, field):
    with pytest.raises(ValidationError) as refused:
        parse(body)
    [error] = problem_of(refused.value).errors
    assert (error.field, error.code) == (field, "duplicate_field")


@pytest.mark.parametrize(
    "body, fields",
    [
        (b'{"name": "a\\u0000b"}', ["name"]),
        (b'{"lines": [{"sku": "a"}, {"sku": "\\u0000"}]}', ["lines[1].sku"]),
        (b'{"tags": ["\\u0000"], "b": "\\u0000"}', ["tags[0]", "b"]),
        (b'{"a\\u0000": 1}', ["a\N{SYMBOL FOR NULL}"]),
        (b'"\\u0000"', [""]),
    ],
)
def test_names_the_field_with_a_nul_character(body, fields):
    with pytest.raises(ValidationError) as refused:
        parse(body)
    errors = problem_of(refused.value).errors
    assert [error.field for error in errors] == fields
    assert {error.code for error in errors} == {"nul"}


def test_an_escaped_backslash_before_u0000_is_no_nul():
    assert parse(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


@pytest.mark.parametrize(
    "body, fields",
    [
        (b'{"a": [{"b": ' + b"9" * 1_000_000 + b"}]}", ["a[0].b"]),
        (b'{"a": 1e999, "b": -1e999}', ["a", "b"]),
    ],
)
def test_names_the_number_that_is_beyond_all_bounds(body, fields):
    with pytest.raises(ValidationError) as refused:
        parse(body)
    errors = problem_of(refused.value).errors
    assert [(error.field, error.code) for error in errors] == [(f, "max_value") for f in fields]


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "nonsense"])
def test_only_utf8_is_a_charset(charset):
    with pytest.raises(UnsupportedMediaType):
        StrictJsonParser().parse(io.BytesIO(b"{}"), f"application/json; charset={charset}")
    assert StrictJsonParser().parse(io.BytesIO(b"{}"), "application/json; charset=UTF-8") == {}
