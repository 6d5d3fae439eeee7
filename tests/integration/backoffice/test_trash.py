"""The trash: everything deleted in one place, and back again with what belongs to it."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from apps.catalog import categories, services
from apps.catalog.models import Category, Product
from apps.customers import addresses
from apps.customers import services as people
from apps.customers.contracts import Address as AddressContract
from apps.customers.models import Address, User

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
HOME = AddressContract(name="Ann", line1="1 High St", city="Ely", country="GB")


def product(sku: str, category: Category | None = None) -> Product:
    return services.product_create(
        sku=sku, name=sku.title(), price=Money("1.00", "GBP"), category_id=category and category.pk
    )


def customer(email: str = "ann@example.org") -> User:
    return people.customer_create(email=email, name="Ann", password="a-quiet-long-word-77")


@pytest.fixture
def shelf() -> tuple[Category, Category, list[Product]]:
    """Kitchen / Cups with two products: all deleted."""
    kitchen = categories.category_create(name="Kitchen")
    cups = categories.category_create(name="Cups", parent_id=kitchen.pk)
    products = [product("CUP-1", cups), product("CUP-2", cups)]
    for one in products:
        services.product_delete(product_pk=one.pk)
    categories.category_delete(category_id=cups.pk)
    categories.category_delete(category_id=kitchen.pk)
    return kitchen, cups, products


def page(kind: str, row) -> str:
    return f"/admin/trash/{kind}/{row.pk}/"


def names(answer) -> list[str]:
    return [one.name for one, _, _ in answer.context["things"]]


def said(answer) -> str:
    [text] = [str(message) for message in answer.context["messages"]]
    return text


def living(model, row) -> bool:
    return model.objects.filter(pk=row.pk).exists()


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user(f"{uuid4()}@example.com", name="Clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def test_all_kinds_are_listed_the_latest_first(staff, shelf):
    ann = customer()
    home = addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_delete(address_id=home.pk)
    people.customer_delete(user_id=ann.pk)

    listed = staff.get("/admin/trash/")
    assert listed.context["count"] == 6
    assert set(names(listed)) == {
        *("CUP-1 Cup-1", "CUP-2 Cup-2", "Cups", "Kitchen"),
        *("Ann, Ely, GB", "Ann <ann@example.org>"),
    }
    dates = [one.deleted_at for one, _, _ in listed.context["things"]]
    assert dates == sorted(dates, reverse=True)
    assert names(staff.get("/admin/trash/?kind=category&q=cup")) == ["Cups"]
    assert names(staff.get("/admin/trash/?q=ANN@EX")) == ["Ann <ann@example.org>"]
    for link in [link for _, _, link in listed.context["things"]]:
        assert staff.get(link).status_code == 200


@pytest.mark.parametrize("query", ["page=2", "page=x", "page=-1", "kind=ghost", "q=%00", "q=%25"])
def test_any_address_of_the_list_is_taken(staff, shelf, query):
    assert staff.get(f"/admin/trash/?{query}").status_code == 200


def test_long_lists_have_pages(staff):
    for number in range(51):
        services.product_delete(product_pk=product(f"P-{number}").pk)

    first, second = staff.get("/admin/trash/"), staff.get("/admin/trash/?page=2")
    assert (len(names(first)), len(names(second))) == (50, 1)
    assert set(names(first)).isdisjoint(names(second))


def test_a_product_comes_back_with_the_categories_it_stands_in(staff, shelf):
    kitchen, cups, (one, other) = shelf
    shown = staff.get(page("product", one)).content.decode()
    assert "Kitchen" in shown
    assert "Cups" in shown

    answer = staff.post(page("product", one), follow=True)
    assert said(answer) == "CUP-1 Cup-1 was restored, with 2 more."
    assert [living(Category, kitchen), living(Category, cups)] == [True, True]
    assert [living(Product, one), living(Product, other)] == [True, False]


def test_a_category_comes_back_with_the_products_that_are_chosen(staff, shelf):
    kitchen, cups, (one, other) = shelf
    stranger = product("SPOON")
    services.product_delete(product_pk=stranger.pk)

    staff.post(page("category", cups), {"below": [other.pk, stranger.pk, "x"]})
    assert [living(Category, kitchen), living(Category, cups)] == [True, True]
    assert [living(Product, row) for row in (one, other, stranger)] == [False, True, False]


def test_what_is_in_the_way_is_shown_before_and_nothing_is_half_done(staff, shelf):
    kitchen, cups, (one, other) = shelf
    taker = product("CUP-2")

    [(clash, link)] = [
        (clash, link)
        for clash, link in staff.get(page("category", cups)).context["clashes"]
        if clash.field == "sku"
    ]
    assert (clash.value, clash.holder) == ("CUP-2", "CUP-2 Cup-2")
    assert link == f"/admin/catalog/product/{taker.pk}/change/"

    answer = staff.post(page("category", cups), {"below": [one.pk, other.pk]}, follow=True)
    assert said(answer).startswith("Nothing was restored: Another product has this")
    assert not any([living(Category, kitchen), living(Category, cups), living(Product, one)])


def test_a_customer_comes_back_with_their_addresses(staff):
    ann = customer()
    home = addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_delete(address_id=home.pk)
    people.customer_delete(user_id=ann.pk)

    staff.post(page("customer", ann), {"below": [home.pk]})
    assert [living(User, ann), living(Address, home)] == [True, True]


def test_an_address_brings_its_customer_back(staff):
    ann = customer()
    home = addresses.address_create(user_id=ann.pk, address=HOME)
    addresses.address_delete(address_id=home.pk)
    people.customer_delete(user_id=ann.pk)

    staff.post(page("address", home))
    assert [living(User, ann), living(Address, home)] == [True, True]


def test_a_taken_email_address_is_told_before(staff):
    ann = customer()
    people.customer_delete(user_id=ann.pk)
    taker = customer()

    [(clash, link)] = staff.get(page("customer", ann)).context["clashes"]
    assert (clash.value, clash.holder_pk) == ("ann@example.org", taker.pk)
    assert link == f"/admin/customers/user/{taker.pk}/change/"
    answer = staff.post(page("customer", ann), follow=True)
    assert said(answer).startswith("Nothing was restored: ann@example.org belongs to")
    assert not living(User, ann)


def test_what_lives_or_never_was_has_no_page(staff):
    cup = product("CUP")
    missing = ("product/999/", "ghost/1/", f"product/{2**64}/", "category/999/purge/")
    for path in (page("product", cup), *(f"/admin/trash/{one}" for one in missing)):
        assert staff.get(path).status_code == 404, path


def test_purging_asks_first_and_then_is_for_good(staff):
    cup = product("CUP")
    services.product_delete(product_pk=cup.pk)
    asked = staff.get(page("product", cup) + "purge/")
    assert b"nothing brings it back" in asked.content
    assert Product.all_objects.filter(pk=cup.pk).exists()

    answer = staff.post(page("product", cup) + "purge/", follow=True)
    assert said(answer) == "CUP Cup is gone for good."
    assert not Product.all_objects.filter(pk=cup.pk).exists()


def test_what_is_referred_to_is_not_purged(staff, shelf):
    cups = shelf[1]
    answer = staff.post(page("category", cups) + "purge/", follow=True)
    assert said(answer).startswith("It was not removed: ")
    assert Category.all_objects.filter(pk=cups.pk).exists()


def test_people_see_and_restore_what_they_may(shelf):
    one = shelf[2][0]
    ann = customer()
    people.customer_delete(user_id=ann.pk)
    viewer = clerk("view_product")

    assert clerk().get("/admin/trash/").status_code == 403
    listed = viewer.get("/admin/trash/")
    assert {thing.kind for thing, _, _ in listed.context["things"]} == {"product"}
    assert viewer.get(page("customer", ann)).status_code == 403
    shown = viewer.get(page("product", one))
    assert (shown.context["may_restore"], shown.context["may_purge"]) == (False, False)
    assert viewer.post(page("product", one)).status_code == 403
    assert viewer.post(page("product", one) + "purge/").status_code == 403
    assert not living(Product, one)


def test_the_pages_read_as_often_for_many(staff, shelf):
    _, cups, _ = shelf

    def reads() -> list[int]:
        found = []
        for path in ("/admin/trash/", page("category", cups)):
            captures = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
            for capture in captures:
                capture.__enter__()
            assert staff.get(path).status_code == 200
            for capture in captures:
                capture.__exit__(None, None, None)
            found.append(sum(map(len, captures)))
        return found

    few = reads()
    categories.category_restore(category_id=shelf[0].pk)
    categories.category_restore(category_id=cups.pk)
    for number in range(8):
        services.product_delete(product_pk=product(f"P-{number}", cups).pk)
    categories.category_delete(category_id=cups.pk)
    many = reads()
    assert all(new <= old for new, old in zip(many, few, strict=True))
    assert max(many) <= 15
