"""Staff keep products over HTTP: create, change, delete, restore, purge."""

from uuid import uuid4

import pytest
from moneyed import Money
from rest_framework.test import APIClient

from apps.catalog import categories, facade, services
from apps.catalog.contracts import AdjustStock
from apps.catalog.models import PriceChange, Product, StockItem
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.people import staff
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders"])
LIST = "/api/v1/products"
CUP = {"sku": "CUP", "name": "Cup", "price": {"amount": "4.50", "currency": "GBP"}}


def notes() -> list[tuple]:
    rows = StaffChange.objects.using("catalog").order_by("pk")
    return [(one.action, one.subject_id, one.before, one.after) for one in rows]


def made(**values) -> Product:
    given = {"sku": "CUP", "name": "Cup", "price": Money("4.50", "GBP"), **values}
    return services.product_create(**given)


def errors(answer, status: int) -> list[tuple[str, str]]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return [(one["field"], one["code"]) for one in answer.json().get("errors", [])]


class TestCreating:
    def test_a_product_is_made_with_its_stock_its_price_and_a_note(self):
        categories.category_create(name="Tea")
        answer = staff("add_product").post(
            LIST, CUP | {"category": "tea", "attributes": {"a": 1}, "description": ""}
        )
        assert answer.status_code == 201
        body, product = answer.json(), Product.objects.get()
        assert answer["Location"] == f"{LIST}/{product.public_id}"
        assert (body["slug"], body["version"], body["category"]["slug"]) == ("cup-cup", 1, "tea")
        assert (body["active"], body["attributes"]) == (True, {"a": 1})
        assert answer["ETag"] == APIClient().get(answer["Location"])["ETag"]
        assert shop.levels(product.public_id) == (0, 0)
        [price] = PriceChange.objects.all()
        assert (price.before, price.after, price.version) == (None, Money("4.50", "GBP"), 1)
        assert price.actor.startswith("staff:")
        [(action, subject, before, after)] = notes()
        assert (action, subject, before) == ("create", str(product.public_id), None)
        assert (after["price"], after["category"]) == ("4.50 GBP", "tea")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"sku": None}, [("sku", "null")]),
            ({"sku": ""}, [("sku", "blank")]),
            ({"sku": "x" * 65}, [("sku", "max_length")]),
            ({"name": 7}, [("name", "invalid")]),
            ({"slug": "No"}, [("slug", "invalid")]),
            ({"price": "4.50"}, [("price", "invalid")]),
            (
                {"price": {"amount": "-1.00", "currency": "GBP"}},
                [("price.amount", "min_value")],
            ),
            (
                {"price": {"amount": "99999999999", "currency": "GBP"}},
                [("price", "range")],
            ),
            ({"attributes": []}, [("attributes", "not_a_dict")]),
            ({"attributes": {"a": "x" * 70_000}}, [("attributes", "max_length")]),
            ({"category": "nowhere"}, [("category", "does_not_exist")]),
            ({"active": "yes"}, [("active", "invalid")]),
            ({"version": 1}, [("version", "unknown_field")]),
            ({"id": "x"}, [("id", "unknown_field")]),
        ],
    )
    def test_what_does_not_fit_is_named_and_nothing_is_made(self, change, expected):
        answer = staff("add_product").post(LIST, CUP | change)
        assert errors(answer, 400) == expected
        assert not Product.all_objects.exists() and not notes()

    @pytest.mark.parametrize(("field", "value"), [("sku", "CUP"), ("slug", "cup-cup")])
    def test_a_taken_name_says_who_has_it(self, field, value):
        holder = made()
        answer = staff("add_product").post(LIST, CUP | {"sku": "NEW", field: value})
        assert errors(answer, 409) == [(field, "taken")]
        body = answer.json()
        assert body["code"] == f"{field}_taken"
        assert body["holder"] == {"id": str(holder.public_id), "name": "Cup"}
        assert "“Cup”" in body["detail"]
        assert Product.objects.count() == 1


class TestChanging:
    def test_only_what_is_given_changes_and_the_version_grows(self):
        product = made(
            description="Holds tea.", category_id=categories.category_create(name="T").pk
        )
        client = staff("change_product")
        etag = APIClient().get(f"{LIST}/{product.public_id}")["ETag"]
        answer = client.patch(
            f"{LIST}/{product.public_id}",
            {"price": {"amount": "5.00", "currency": "EUR"}, "category": None},
            headers={"If-Match": etag},
        )
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert (body["version"], body["description"], body["category"]) == (2, "Holds tea.", None)
        assert body["price"] == {"amount": "5.00", "currency": "EUR"}
        assert answer["ETag"] == APIClient().get(f"{LIST}/{product.public_id}")["ETag"] != etag
        moves = PriceChange.objects.order_by("pk").values_list("before", "after", "version")
        assert list(moves) == [
            (None, Money("4.50", "GBP").amount, 1),
            (Money("4.50", "GBP").amount, Money("5.00", "EUR").amount, 2),
        ]
        assert notes() == [
            (
                "change",
                str(product.public_id),
                {"price": "4.50 GBP", "category": "t"},
                {"price": "5.00 EUR", "category": None},
            )
        ]

    def test_the_same_again_changes_nothing(self):
        product = made()
        answer = staff("change_product").patch(
            f"{LIST}/{product.public_id}", {"name": "Cup", "version": 1}
        )
        assert (answer.status_code, answer.json()["version"]) == (200, 1)
        assert not notes()

    @pytest.mark.parametrize("by", ["header", "body", "etag"])
    def test_the_second_of_two_editors_is_told_so(self, by):
        product = made()
        address = f"{LIST}/{product.public_id}"
        etag = APIClient().get(address)["ETag"]
        services.product_change(product_pk=product.pk, version=1, changes={"name": "First"})
        headers = {"header": {"If-Match": '"1"'}, "etag": {"If-Match": etag}}.get(by, {})
        body = {"name": "Second"} | ({"version": 1} if by == "body" else {})
        answer = staff("change_product").patch(address, body, headers=headers)
        assert errors(answer, 409) == []
        assert (answer.json()["code"], answer.json()["version"]) == ("version_conflict", 2)
        assert Product.objects.get().name == "First"
        assert not notes()

    @pytest.mark.parametrize(
        ("headers", "body", "field"),
        [
            ({}, {"name": "New"}, "version"),
            ({"If-Match": "*"}, {"name": "New"}, "version"),
            ({"If-Match": "1"}, {"name": "New"}, "If-Match"),
            ({"If-Match": 'W/"1"'}, {"name": "New"}, "If-Match"),
            ({"If-Match": '"1"'}, {"name": "New", "version": 2}, "version"),
            ({}, {"name": "New", "version": 0}, "version"),
            ({"If-Match": '"1"'}, {"colour": "red"}, "colour"),
        ],
    )
    def test_a_change_says_what_it_is_based_on(self, headers, body, field):
        product = made()
        answer = staff("change_product").patch(f"{LIST}/{product.public_id}", body, headers=headers)
        assert [name for name, _ in errors(answer, 400)] == [field]
        assert Product.objects.get().name == "Cup"

    def test_a_name_of_another_product_is_refused(self):
        holder, other = made(), made(sku="POT", name="Pot")
        answer = staff("change_product").patch(
            f"{LIST}/{other.public_id}", {"sku": "CUP", "version": 1}
        )
        assert errors(answer, 409) == [("sku", "taken")]
        assert answer.json()["holder"]["id"] == str(holder.public_id)

    def test_a_deleted_or_unknown_product_is_not_changed(self):
        product = made()
        services.product_delete(product_pk=product.pk)
        client = staff("change_product")
        for public_id in (product.public_id, uuid4()):
            answer = client.patch(f"{LIST}/{public_id}", {"name": "New", "version": 2})
            assert errors(answer, 404) == []


class TestEnding:
    def test_deleting_and_restoring(self):
        product = made()
        address = f"{LIST}/{product.public_id}"
        client = staff("delete_product", "restore_product")
        assert client.delete(address, headers={"If-Match": '"7"'}).status_code == 409
        for _ in range(2):
            assert client.delete(address, headers={"If-Match": '"1"'}).status_code == 204
            assert APIClient().get(address).status_code == 404
        for _ in range(2):
            answer = client.post(f"{address}/restore")
            assert (answer.status_code, answer.json()["version"]) == (200, 3)
        assert APIClient().get(address).json()["deleted_at"] is None
        assert [action for action, *_ in notes()] == ["delete", "restore"]

    def test_restoring_into_a_taken_name_names_the_holder(self):
        old = made()
        services.product_delete(product_pk=old.pk)
        holder = made(name="New cup")
        answer = staff("restore_product").post(f"{LIST}/{old.public_id}/restore")
        assert errors(answer, 409) == [("sku", "taken")]
        assert answer.json()["holder"] == {"id": str(holder.public_id), "name": "New cup"}
        assert Product.deleted_objects.count() == 1 and not notes()

    def test_purging_leaves_only_a_note(self):
        product = made()
        address = f"{LIST}/{product.public_id}/purge"
        client = staff("purge_product")
        assert client.post(address).json()["code"] == "not_deleted"
        services.product_delete(product_pk=product.pk)
        assert client.post(address).status_code == 204
        for rows in (Product.all_objects, StockItem.objects, PriceChange.objects):
            assert not rows.exists()
        [(action, subject, before, after)] = notes()
        assert (action, subject, before["sku"], after) == (
            "purge",
            str(product.public_id),
            "CUP",
            None,
        )
        assert client.post(address).status_code == 404

    @pytest.mark.parametrize("use", ["reservation", "adjustment"])
    def test_what_the_books_tell_of_is_never_purged(self, use):
        if use == "reservation":
            public_id = shop.product(3, sku="CUP")
            command = shop.reserve((public_id, 2))
            facade.reserve_stock([command])
            facade.release_stock([shop.release(command)])
        else:
            public_id = shop.product(sku="CUP")
            for delta in (1, -1):
                facade.adjust_stock(AdjustStock(str(delta), "staff:1", public_id, delta, "count"))
        services.product_delete(product_pk=Product.objects.get().pk)
        answer = staff("purge_product").post(f"{LIST}/{public_id}/purge")
        assert errors(answer, 409) == []
        body = answer.json()
        assert (body["code"], body["reservations"]) == ("in_use", int(use == "reservation"))
        assert body["stock_movements"] >= 2
        assert Product.deleted_objects.count() == StockItem.objects.count() == 1
        assert PriceChange.objects.count() == 1 and not notes()

    def test_what_an_order_names_is_never_purged(self):
        trade = Trade(skus=("CUP",), stock=0)
        trade.place(CUP=1)  # it ends short of stock, and leaves no trace in the books of stock
        services.product_delete(product_pk=Product.objects.get().pk)
        answer = staff("purge_product").post(f"{LIST}/{trade.products['CUP']}/purge")
        assert errors(answer, 409) == []
        assert (answer.json()["code"], answer.json()["detail"]) == ("in_use", "Orders name it.")
        assert Product.deleted_objects.count() == StockItem.objects.count() == 1
