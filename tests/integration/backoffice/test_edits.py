"""Edits that wait for the database, those it refused, and the caches, as staff see them."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.caching import write_behind
from apps.caching.strategies import strategy
from apps.catalog.caching.names import PRODUCT
from apps.catalog.feed.buffer import PRODUCTS
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.feed.conftest import own_buffer  # noqa: F401
from tests.integration.catalog.feed.sent import gbp, price, send
from tests.integration.catalog.people import person

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def member(*permissions: str) -> Client:
    user = person(is_staff=True)
    names = [one.split(".")[1] for one in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def notes(action: str) -> list[tuple]:
    found = StaffChange.objects.using("catalog").filter(subject="catalog.feed", action=action)
    return list(found.values_list("subject_id", "after"))


def bury(product_id) -> str:
    """An edit that the database refuses; its letter."""
    fields = {"price": b"5.00 GBP", "what": b"is this"}
    write_behind.put(PRODUCTS, [write_behind.Change(str(product_id), fields)])
    write_behind.flush_now(PRODUCTS)
    [letter] = write_behind.dead_letters(PRODUCTS)
    return letter.id


def test_edits_that_wait_are_shown_with_what_they_change(staff):
    cup = shop.product(sku="CUP", attributes={"colour": "red", "size": 1})
    shop.product(sku="MUG")
    send(
        {"sku": "CUP", "price": gbp("5.00"), "attributes": {"colour": "blue", "size": None}},
        {"sku": "MUG", "price": gbp("6.00")},
    )
    text = page(staff, "/admin/edits/")
    assert "2 products with edits that wait" in text
    assert "<del>4.20 GBP</del> → <ins>5.00 GBP</ins>" in text
    assert "<del>&quot;red&quot;</del> → <ins>&quot;blue&quot;</ins>" in text
    assert "<del>1</del> → nothing" in text
    only = page(staff, "/admin/edits/?q=mug")
    assert "6.00 GBP" in only
    assert "5.00 GBP" not in only
    assert "None of the oldest" in page(staff, "/admin/edits/?q=jug")
    assert price(cup) == "4.20"


def test_flush_now_writes_all_of_them_and_is_noted(staff):
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    answer = staff.post("/admin/edits/flush/", follow=True)
    assert "1 edit is written." in answer.content.decode()
    assert "Everything is in the database." in answer.content.decode()
    assert (price(cup), notes("flush")) == ("5.00", [("all", None)])


def test_a_refused_edit_is_shown_and_thrown_away_with_a_reason(staff):
    cup = shop.product(sku="CUP")
    letter = bury(cup)
    text = page(staff, "/admin/refused-edits/")
    assert "1 edit that the database refused" in text
    assert "what is no field of an edit" in text
    form = {"edits": [letter], "verb": "discard", "reason": " "}
    assert "Say why." in staff.post("/admin/refused-edits/", form, follow=True).content.decode()
    form["reason"] = "Sent by mistake"
    staff.post("/admin/refused-edits/", form)
    assert write_behind.dead_letters(PRODUCTS) == []
    assert notes("discard") == [(letter, {"reason": "Sent by mistake"})]


def test_a_refused_edit_is_tried_again(staff):
    letter = bury(shop.product(sku="CUP"))
    form = {"edits": [letter], "verb": "redrive", "reason": "Mended"}
    answer = staff.post("/admin/refused-edits/", form, follow=True)
    assert "1 edit is to be tried again." in answer.content.decode()
    assert write_behind.backlog(PRODUCTS).keys == 1
    assert notes("redrive") == [(letter, {"reason": "Mended"})]
    none = {"verb": "redrive", "reason": "Mended"}
    answer = staff.post("/admin/refused-edits/", none, follow=True)
    assert "Choose at least one edit." in answer.content.decode()


def test_who_may_only_look_changes_nothing():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    looks = member("catalog.view_product")
    assert "Flush now" not in page(looks, "/admin/edits/")
    assert looks.post("/admin/edits/flush/").status_code == 403
    assert looks.post("/admin/refused-edits/", {"verb": "discard"}).status_code == 403
    assert looks.get("/admin/caches/").status_code == 403
    assert member().get("/admin/edits/").status_code == 403
    assert price(cup) == "4.20"


@pytest.mark.django_db(databases=["default", "catalog"], transaction=True)
def test_the_caches_are_shown_and_a_value_is_dropped_by_hand(staff):
    cup = str(shop.product(sku="CUP"))
    strategy(PRODUCT).get(cup)
    text = page(staff, "/admin/caches/")
    for word in ("catalog.product", "write-through", "catalog.page", "catalog.products"):
        assert word in text
    answer = staff.post("/admin/caches/drop/", {"resource": PRODUCT, "id": cup}, follow=True)
    assert "is not in the cache any more" in answer.content.decode()
    before = strategy(PRODUCT).statistics.misses
    strategy(PRODUCT).get(cup)
    assert strategy(PRODUCT).statistics.misses == before + 1
    answer = staff.post("/admin/caches/drop/", {"resource": "no", "id": cup}, follow=True)
    assert "Say of which resource" in answer.content.decode()
