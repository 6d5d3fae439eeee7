"""Whatever goes wrong, the answer is a problem document."""

import pytest

BODY = {"name": "x", "lines": [{"quantity": 1}]}


def problem(response):
    """The document, after a check of its form."""
    assert response["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == response.status_code
    assert document["request_id"] == response["X-Request-ID"]
    assert document["type"] == f"urn:holdfast:problem:{document['code']}"
    assert document["title"] and document["detail"]
    assert response["Cache-Control"] == "no-store"
    assert "secret" not in response.content.decode()
    return document


def fields(document):
    return [(error["field"], error["code"]) for error in document["errors"]]


def test_a_good_request_is_answered(api):
    response = api.post("/api/echo", BODY)
    assert (response.status_code, response.json()) == (200, BODY)
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body, errors",
    [
        ({}, [("name", "required"), ("lines", "required")]),
        (
            {"name": 3, "lines": [{"quantity": 1}, {"quantity": True, "price": 1}], "x": 1},
            [
                ("x", "unknown_field"),
                ("name", "invalid"),
                ("lines[1].price", "unknown_field"),
                ("lines[1].quantity", "invalid"),
            ],
        ),
        ({"name": "a\x00", "lines": []}, [("name", "nul")]),
        ({"name": "a", "lines": [{"quantity": 10**30}]}, [("lines[0].quantity", "max_value")]),
        ([], [("", "invalid")]),
    ],
)
def test_invalid_values_are_named_by_their_path(api, body, errors):
    document = problem(api.post("/api/echo", body))
    assert (document["status"], document["code"]) == (400, "invalid")
    assert fields(document) == errors


@pytest.mark.parametrize(
    "body, content_type, status, code",
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b"\xff", "application/json", 400, "malformed_json"),
        (b"[" * 900_000, "application/json", 400, "malformed_json"),
        (b"[" * 40 + b"]" * 40, "application/json", 400, "too_deep"),
        (b'{"name": 1, "name": 2}', "application/json", 400, "invalid"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"<a/>", "application/xml", 415, "unsupported_media_type"),
        (b"{}", "", 415, "unsupported_media_type"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported_media_type"),
        (b"x" * (1024 * 1024 + 1), "application/json", 413, "body_too_large"),
    ],
)
def test_a_body_that_is_not_json_is_refused(api, body, content_type, status, code):
    document = problem(api.generic("POST", "/api/echo", body, content_type))
    assert (document["status"], document["code"]) == (status, code)


def test_a_body_of_exactly_the_limit_is_read(api):
    body = b'{"name": "x", "lines": [{"quantity": 1}]}'.ljust(1024 * 1024)
    assert api.generic("POST", "/api/echo", body, "application/json").status_code == 200


@pytest.mark.parametrize("address", ["/api/closed", "/api/nope", "/_allauth/nope"])
def test_a_large_body_is_refused_before_anything_else(api, address):
    response = api.generic("POST", address, b" " * (1024 * 1024 + 1), "application/json")
    assert problem(response)["code"] == "body_too_large"


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "²"])
def test_a_length_that_is_no_number_is_refused(api, length):
    assert problem(api.post("/api/echo", BODY, CONTENT_LENGTH=length))["status"] == 400


def test_a_wrong_method_names_the_right_ones(api):
    response = api.put("/api/echo", BODY)
    assert problem(response)["code"] == "method_not_allowed"
    assert response["Allow"] == "POST, OPTIONS"
    assert api.options("/api/echo").json() == {"methods": ["POST", "OPTIONS"]}


def test_a_representation_we_do_not_have_is_refused(api):
    response = api.post("/api/echo", BODY, headers={"Accept": "text/html"})
    assert problem(response)["code"] == "not_acceptable"


@pytest.mark.parametrize("kind", ["failing", "plain"])
@pytest.mark.parametrize(
    "name, status, code",
    [
        ("database", 503, "unavailable"),
        ("defect", 500, "internal_error"),
        ("suspicious", 400, "bad_request"),
        ("forbidden", 403, "permission_denied"),
    ],
)
def test_failures_in_any_view_are_problems(api, kind, name, status, code):
    response = api.get(f"/api/{kind}/{name}")
    document = problem(response)
    assert (document["status"], document["code"]) == (status, code)
    assert response.get("Retry-After") == ("1" if status == 503 else None)


def test_a_defect_is_logged_with_its_traceback_and_request_id(api, caplog):
    response = api.get("/api/failing/defect")
    [record] = [record for record in caplog.records if record.name == "django.request"]
    assert record.exc_info[0] is ZeroDivisionError
    assert record.levelname == "ERROR"
    assert problem(response)["request_id"]


def test_an_error_of_the_domain_brings_its_own_members(api):
    document = problem(api.get("/api/failing/transition"))
    assert (document["status"], document["code"]) == (409, "invalid_transition")
    assert document["allowed"] == ["shipped"]


@pytest.mark.parametrize(
    "address", ["/api", "/api/", "/api/nope", "/api/v1/%ff", "/_allauth/nope", "/api/plain/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_address_below_the_api_is_a_problem(api, address, method):
    assert problem(api.generic(method, address))["code"] == "not_found"


@pytest.mark.parametrize("address, status", [("/nope", 404), ("/page/forbidden", 403)])
def test_pages_for_people_stay_pages(api, address, status):
    response = api.get(address)
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")


def test_a_host_that_is_not_ours_is_a_problem_too(api):
    assert problem(api.get("/api/permissions", headers={"Host": "evil.example"}))["status"] == 400


def test_nul_in_a_query_names_the_parameter(api):
    document = problem(api.get("/api/permissions?codename=a%00b&limit=5"))
    assert fields(document) == [("codename", "nul")]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "x" * 256}])
def test_the_idempotency_key_is_named(api, headers):
    document = problem(api.post("/api/command", {}, headers=headers))
    assert [error["field"] for error in document["errors"]] == ["Idempotency-Key"]
