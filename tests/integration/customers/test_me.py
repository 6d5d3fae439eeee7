"""``GET /api/v1/me``."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.customers import addresses
from apps.customers.contracts import Address
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db

HOME = Address(name="Ann", line1="1 High St", city="Ely", country="GB", postal_code="CB7 4AA")


@pytest.fixture
def ann(make_user):
    return make_user(password=PASSWORD)


@pytest.fixture
def token(ann, log_in) -> dict[str, str]:
    return {"X-Session-Token": log_in(ann.email).json()["meta"]["session_token"]}


def test_it_shows_the_profile_and_my_living_addresses_default_first(ann, make_user, client, token):
    first = addresses.address_create(user_id=ann.pk, address=HOME)
    second = addresses.address_create(user_id=ann.pk, address=HOME, make_default=True)
    gone = addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_delete(address_id=gone.pk)
    addresses.address_create(user_id=make_user().pk, address=HOME)

    me = client.get("/api/v1/me", headers=token).json()

    listed = me.pop("addresses")
    assert me == {
        "id": str(ann.public_id),
        "email": ann.email,
        "name": "Ann",
        "is_staff": False,
        "date_joined": ann.date_joined.isoformat().replace("+00:00", "Z"),
        "version": 5,
    }
    assert [address["id"] for address in listed] == [str(second.public_id), str(first.public_id)]
    assert listed[1] == {
        "id": str(first.public_id),
        "name": "Ann",
        "line1": "1 High St",
        "line2": "",
        "city": "Ely",
        "region": "",
        "postal_code": "CB7 4AA",
        "country": "GB",
        "is_default": False,
        "version": 2,
    }


def test_it_takes_as_many_queries_for_many_addresses(ann, client, token):
    counts = []
    for number in (1, 9):
        for _ in range(number):
            addresses.address_create(user_id=ann.pk, address=HOME)
        with CaptureQueriesContext(connections["default"]) as queries:
            assert client.get("/api/v1/me", headers=token).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 4


def test_it_has_an_etag_that_my_addresses_change_too(ann, client, token):
    etag = client.get("/api/v1/me", headers=token)["ETag"]
    known = token | {"If-None-Match": etag}
    assert client.get("/api/v1/me", headers=known).status_code == 304

    row = addresses.address_create(user_id=ann.pk, address=HOME)
    etags = {etag, client.get("/api/v1/me", headers=known)["ETag"]}
    addresses.address_delete(address_id=row.pk)
    etags.add(client.get("/api/v1/me", headers=known)["ETag"])

    assert len(etags) == 3


def patch(client, token, body, **headers):
    return client.patch(
        "/api/v1/me", body, content_type="application/json", headers=token | headers
    )


def test_i_change_my_name(ann, client, token):
    etag = client.get("/api/v1/me", headers=token)["ETag"]

    answer = patch(client, token, {"name": "  Ann Lee "}, **{"If-Match": etag})

    assert (answer.status_code, answer.json()["name"]) == (200, "Ann Lee")
    assert answer["ETag"] != etag
    assert client.get("/api/v1/me", headers=token).json() == answer.json()


def test_a_change_of_what_has_changed_is_a_conflict(ann, client, token):
    etag = client.get("/api/v1/me", headers=token)["ETag"]
    patch(client, token, {"name": "First"})

    answer = patch(client, token, {"name": "Second"}, **{"If-Match": etag})

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert client.get("/api/v1/me", headers=token).json()["name"] == "First"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": None}, "name", "null"),
        ({"name": 7}, "name", "invalid"),
        ({"name": "x" * 151}, "name", "max_length"),
        ({"email": "other@example.com"}, "email", "unknown_field"),
        ({"is_staff": True}, "is_staff", "unknown_field"),
    ],
)
def test_a_bad_change_is_refused(ann, client, token, body, field, code):
    before = client.get("/api/v1/me", headers=token).json()

    answer = patch(client, token, body)

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert client.get("/api/v1/me", headers=token).json() == before


def test_a_bad_version_is_refused(client, token):
    answer = patch(client, token, {"name": "Ann"}, **{"If-Match": "W/x"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "If-Match")


def test_an_unknown_parameter_is_refused(client, token):
    assert client.get("/api/v1/me?expand=1", headers=token).status_code == 400
