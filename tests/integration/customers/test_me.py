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


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_only_reads(client, token, method):
    answer = getattr(client, method)("/api/v1/me", headers=token, content_type="application/json")

    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_parameter_is_refused(client, token):
    assert client.get("/api/v1/me?expand=1", headers=token).status_code == 400
