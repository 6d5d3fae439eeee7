"""``/api/v1/me/addresses``: mine alone, versioned, at most fifty, one of them the default."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.customers import addresses, services
from apps.customers.contracts import Address
from apps.customers.models import Address as AddressRow
from tests.integration.customers.conftest import PASSWORD

pytestmark = pytest.mark.django_db

LIST = "/api/v1/me/addresses"
HOME = {"name": "Ann", "line1": "1 High St", "city": "Ely", "country": "GB"}


@pytest.fixture
def ann(make_user):
    return make_user(password=PASSWORD)


@pytest.fixture
def call(ann, client, log_in):
    """Calls as Ann: ``call("patch", address, body, version)``."""
    token = log_in(ann.email).json()["meta"]["session_token"]

    def call(method, address=None, body=None, version=None, path=LIST):
        headers = {"X-Session-Token": token}
        headers |= {"If-Match": f'"{version}"'} if version else {}
        path = f"{path}/{address['id']}" if address else path
        return getattr(client, method)(
            path,
            *([] if body is None else [body]),
            content_type="application/json",
            headers=headers,
        )

    return call


def test_an_address_is_added_and_found(call):
    made = call("post", body=HOME)

    assert made.status_code == 201
    address = made.json()
    assert made["Location"] == f"{LIST}/{address['id']}"
    assert made["ETag"] == '"1"'
    empty = {"line2": "", "region": "", "postal_code": ""}
    assert address == {"id": address["id"], **HOME, **empty, "is_default": True, "version": 1}
    assert call("get", address).json() == address
    assert call("get").json() == {"next": None, "previous": None, "results": [address]}


def test_the_first_is_the_default_and_a_later_one_when_asked(call):
    first = call("post", body=HOME).json()
    second = call("post", body=HOME | {"is_default": True}).json()
    third = call("post", body=HOME).json()

    listed = call("get").json()["results"]
    assert [(a["id"], a["is_default"]) for a in listed] == [
        (second["id"], True),
        (first["id"], False),
        (third["id"], False),
    ]


def test_one_is_made_the_default_and_none(call):
    first, second = (call("post", body=HOME).json() for _ in range(2))

    assert call("patch", second, {"is_default": True}).json()["is_default"] is True
    assert call("get", first).json()["is_default"] is False
    assert call("patch", second, {"is_default": False}).status_code == 200
    assert not AddressRow.objects.filter(is_default=True).exists()


def test_patch_changes_what_is_named_and_put_replaces_all(call):
    address = call("post", body=HOME | {"postal_code": "CB7 4AA"}).json()

    patched = call("patch", address, {"city": "Wells"}).json()
    assert patched == address | {"city": "Wells", "version": 2}
    replaced = call("put", address, HOME | {"name": "Bob"}).json()
    assert replaced == address | {"name": "Bob", "postal_code": "", "version": 3}


def test_a_deleted_one_is_gone_but_not_lost(call, ann):
    address = call("post", body=HOME).json()

    assert call("delete", address).status_code == 204

    assert call("get", address).status_code == 404
    assert call("delete", address).status_code == 404
    assert call("get").json()["results"] == []
    assert str(AddressRow.deleted_objects.get().public_id) == address["id"]


@pytest.mark.parametrize(
    ("method", "body"), [("patch", {"city": "Wells"}), ("put", HOME), ("delete", None)]
)
def test_what_has_changed_meanwhile_is_a_conflict(call, method, body):
    address = call("post", body=HOME).json()
    now = call("patch", address, {"city": "Bath"}, version=1).json()

    answer = call(method, address, body, version=1)

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert call("get", address).json() == now
    assert call(method, address, body, version=2).status_code in (200, 204)


@pytest.mark.parametrize("method", ["get", "patch", "put", "delete"])
def test_somebody_elses_is_none(call, make_user, method):
    other = addresses.address_create(user_id=make_user().pk, address=Address(**HOME))

    answer = call(method, {"id": other.public_id}, HOME if method in ("patch", "put") else None)

    assert (answer.status_code, answer.json()["code"]) == (404, "address_not_found")
    other.refresh_from_db()
    assert (other.deleted, other.version) == (None, 1)


def test_the_fifty_first_is_refused(call, ann):
    for _ in range(50):
        addresses.address_create(user_id=ann.pk, address=Address(**HOME))

    answer = call("post", body=HOME)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_addresses")
    assert AddressRow.objects.filter(user=ann).count() == 50
    last = AddressRow.objects.filter(user=ann).last()
    addresses.address_delete(address_id=last.pk)
    assert call("post", body=HOME).status_code == 201


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 151}, "name", "max_length"),
        ({"line1": "a\nb"}, "line1", "unprintable"),
        ({"city": None}, "city", "null"),
        ({"country": "XX"}, "country", "country"),
        ({"country": "GBR"}, "country", "max_length"),
        ({"country": "G"}, "country", "min_length"),
        ({"is_default": "yes"}, "is_default", "invalid"),
        ({"version": 3}, "version", "unknown_field"),
        ({"id": "x"}, "id", "unknown_field"),
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_a_bad_address_names_its_field_and_changes_nothing(call, method, change, field, code):
    address = call("post", body=HOME).json()

    body = change if method == "patch" else HOME | change
    answer = call(method, None if method == "post" else address, body)

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert call("get").json()["results"] == [address]


def test_a_country_may_be_in_small_letters(call):
    assert call("post", body=HOME | {"country": "de"}).json()["country"] == "DE"


def test_pages_follow_each_other(call, ann):
    for number in range(5):
        addresses.address_create(user_id=ann.pk, address=Address(**HOME | {"name": f"A{number}"}))

    names, path = [], f"{LIST}?limit=2"
    while path:
        page = call("get", path=path).json()
        names += [row["name"] for row in page["results"]]
        path = page["next"]

    assert names == ["A0", "A1", "A2", "A3", "A4"]


def test_a_list_takes_as_many_queries_for_many(call, ann):
    counts = []
    for number in (1, 9):
        for _ in range(number):
            addresses.address_create(user_id=ann.pk, address=Address(**HOME))
        with CaptureQueriesContext(connections["default"]) as queries:
            assert call("get").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 4


def test_the_deleted_customers_addresses_come_back_with_them(call, ann):
    address = call("post", body=HOME).json()
    services.customer_delete(user_id=ann.pk)
    assert call("get").status_code == 401

    services.customer_restore(user_id=ann.pk)

    row = AddressRow.objects.get()
    assert (str(row.public_id), row.is_default) == (address["id"], True)
