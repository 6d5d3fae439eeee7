"""Every error has one form on its way out."""

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from apps.common.correlation import request_id_bound
from apps.common.errors import FieldError, HoldfastError, InvalidTransition, Unavailable
from apps.common.rest.problems import MAX_ERRORS, MAX_NAME, Problem, flatten, problem_of


def test_an_error_of_ours_keeps_its_code_errors_and_further_members():
    error = InvalidTransition(
        "A shipped order cannot be cancelled.",
        errors=[FieldError("status", "invalid_transition", "…")],
        allowed=["delivered"],
    )
    with request_id_bound("r-1"):
        document = problem_of(error).document()
    assert document == {
        "type": "urn:holdfast:problem:invalid_transition",
        "title": "This step is not allowed in the present state",
        "status": 409,
        "detail": "A shipped order cannot be cancelled.",
        "code": "invalid_transition",
        "request_id": "r-1",
        "errors": [{"field": "status", "code": "invalid_transition", "detail": "…"}],
        "allowed": ["delivered"],
    }


def test_further_members_do_not_replace_the_standard_ones():
    assert Problem(409, "conflict", "Conflict", extra={"status": 200}).document()["status"] == 409


def test_what_may_succeed_later_says_when_to_come_back():
    assert problem_of(Unavailable()).headers == {"Retry-After": "1"}
    assert problem_of(InvalidTransition()).headers == {}


@pytest.mark.parametrize(
    "error, status, code",
    [
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "authentication_failed"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
        (exceptions.Throttled(), 429, "throttled"),
        (exceptions.ParseError(), 400, "parse_error"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (RequestDataTooBig(), 413, "body_too_large"),
        (SuspiciousOperation(), 400, "bad_request"),
        (OperationalError("server closed the connection"), 503, "unavailable"),
        (InterfaceError("connection is closed"), 503, "unavailable"),
        (HoldfastError(), 500, "error"),
    ],
)
def test_known_errors_have_a_status_and_a_code(error, status, code):
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert "closed" not in problem.detail


@pytest.mark.parametrize("error", [ValueError(), KeyError("x"), IntegrityError(), TypeError()])
def test_a_defect_is_no_problem_of_the_caller(error):
    assert problem_of(error) is None


def test_the_wait_of_a_throttle_becomes_retry_after():
    assert problem_of(exceptions.Throttled(wait=12.3)).headers == {"Retry-After": "13"}
    assert problem_of(exceptions.Throttled(wait=0.2)).headers == {"Retry-After": "1"}


@pytest.mark.parametrize(
    "detail, errors",
    [
        ("no", [("", "invalid", "no")]),
        ({"a": ["x", "y"]}, [("a", "invalid", "x"), ("a", "invalid", "y")]),
        ({"a": {"b": ["x"]}}, [("a.b", "invalid", "x")]),
        ({"lines": {1: {"quantity": ["x"]}}}, [("lines[1].quantity", "invalid", "x")]),
        ({"lines": [{}, {"quantity": ["x"]}]}, [("lines[1].quantity", "invalid", "x")]),
        ({"tags": {0: ["x"]}}, [("tags[0]", "invalid", "x")]),
        ({"a": {"non_field_errors": ["x"]}}, [("a", "invalid", "x")]),
        ({"non_field_errors": ["x"]}, [("", "invalid", "x")]),
    ],
)
def test_nested_errors_become_paths(detail, errors):
    flat = flatten(exceptions.ValidationError(detail).detail)
    assert [(error.field, error.code, error.detail) for error in flat] == errors


def test_a_document_stays_small_whatever_was_sent():
    detail = {f"{n}{'x' * 10_000}": ["Unknown field."] for n in range(1_000)}
    errors = problem_of(exceptions.ValidationError(detail)).document()["errors"]
    assert len(errors) == MAX_ERRORS
    assert {len(error["field"]) for error in errors} == {MAX_NAME}
