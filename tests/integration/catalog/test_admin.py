"""The back office's pages of the catalogue."""

import itertools

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from moneyed import Money

from apps.catalog import categories, facade, services
from apps.catalog.models import Category, Product, StockLedgerEntry
from apps.common.ids import new_id
from apps.customers.models import User
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
_numbers = itertools.count()


def logged_in(*permissions: str, superuser: bool = False) -> Client:
    user = User.objects.create_user(
        email=f"staff-{next(_numbers)}@example.com",
        name="Sam",
        is_staff=True,
        is_superuser=superuser,
    )
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff() -> Client:
    return logged_in(superuser=True)


def address(page: str, *args) -> str:
    return reverse(f"admin:catalog_{page}", args=args)


def messages(response) -> list[str]:
    return [str(one) for one in response.context["messages"]]


def form_of(product: Product, **changes) -> dict:
    return {
        "name": product.name,
        "sku": product.sku,
        "slug": product.slug,
        "description": product.description,
        "price_0": str(product.price.amount),
        "price_1": product.price.currency.code,
        "active": "on",
        "category": product.category_id or "",
        "attributes": "{}",
        "seen_version": product.version,
    } | changes


@pytest.mark.parametrize(
    "page", ["product", "category", "stockitem", "reservation", "stockledgerentry"]
)
def test_every_page_lists_searches_and_shows_its_rows(staff, page):
    cup = shop.product(10, name="Blue Cup", sku="CUP", category="Tea")
    command = shop.reserve((cup, 4))
    facade.reserve_stock([command])
    shown = staff.get(address(f"{page}_changelist"))
    assert shown.status_code == 200
    assert shown.context["cl"].result_count >= 1
    term = {"category": "Tea", "reservation": command.order_id}.get(page, "CUP")
    found = staff.get(address(f"{page}_changelist"), {"q": term}).context["cl"]
    assert found.result_count >= 1
    missed = staff.get(address(f"{page}_changelist"), {"q": "nothing like it"}).context["cl"]
    assert missed.result_count == 0
    assert staff.get(address(f"{page}_change", found.queryset[0].pk)).status_code == 200


def test_a_product_is_made_with_a_slug_and_a_stock_item(staff):
    response = staff.post(
        address("product_add"),
        {
            "name": "Blue Cup",
            "sku": "CUP",
            "slug": "",
            "price_0": "4.20",
            "price_1": "EUR",
            "attributes": '{"colour": "blue"}',
            "active": "on",
        },
        follow=True,
    )
    assert response.status_code == 200, messages(response)
    product = Product.objects.get()
    assert (product.slug, product.price, product.attributes) == (
        "blue-cup-cup",
        Money("4.20", "EUR"),
        {"colour": "blue"},
    )
    assert shop.levels(product.public_id) == (0, 0)


def test_a_new_price_is_offered_in_the_shops_currency(staff, settings):
    settings.DEFAULT_CURRENCY = "EUR"
    shown = staff.get(address("product_add")).content.decode()
    assert '<option value="EUR" selected' in shown


def test_an_edit_counts_the_version_and_a_stale_one_is_refused(staff):
    shop.product(name="Cup")
    product = Product.objects.get()
    page = address("product_change", product.pk)
    assert staff.post(page, form_of(product, name="Mug")).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.version) == ("Mug", 2)
    stale = staff.post(page, form_of(product, name="Jug", seen_version=1), follow=True)
    assert messages(stale)[-1] == "The product is at version 2, not 1."
    assert staff.post(page, form_of(product)).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.version) == ("Mug", 2)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("price", {"price_0": "-1"}),
        ("price", {"price_0": "1.234"}),
        ("attributes", {"attributes": "[1]"}),
        ("slug", {"slug": "No Slug"}),
        ("name", {"name": ""}),
        ("sku", {"sku": "OTHER"}),
        ("category", {"category": "999999"}),
    ],
)
def test_what_does_not_fit_is_said_and_changes_nothing(staff, field, changes):
    shop.product(sku="OTHER")
    shop.product(name="Cup", sku="CUP")
    product = Product.objects.get(sku="CUP")
    page = address("product_change", product.pk)
    response = staff.post(page, form_of(product, **changes))
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert set(errors) <= {field, "__all__"} and errors
    product.refresh_from_db()
    assert product.version == 1


def test_a_product_is_deleted_found_and_restored(staff):
    shop.product(name="Cup")
    product = Product.objects.get()
    assert staff.post(address("product_delete", product.pk), {"post": "yes"}).status_code == 302
    assert not Product.objects.exists()
    listing = address("product_changelist")
    assert staff.get(listing).context["cl"].result_count == 0
    assert staff.get(listing, {"deletion": "deleted"}).context["cl"].result_count == 1
    restore = {"action": "restore_selected", "_selected_action": [product.pk]}
    staff.post(f"{listing}?deletion=deleted", restore)
    assert Product.objects.exists()


def test_a_restore_into_a_taken_name_is_explained(staff):
    shop.product(name="Cup", sku="CUP")
    old = Product.objects.get()
    services.product_delete(product_pk=old.pk)
    shop.product(name="Cup", sku="CUP")
    page = reverse("admin:catalog_product_restore", args=[old.pk])
    response = staff.post(page, {"_form_submitted": "on"}, follow=True)
    assert "Another product has this SKU: “Cup”." in messages(response)[0]
    assert Product.objects.count() == 1


def test_categories_are_kept_through_their_services(staff):
    staff.post(address("category_add"), {"name": "Tea", "slug": "tea", "parent": ""})
    tea = Category.objects.get()
    page = address("category_change", tea.pk)
    seen = {"slug": "tea", "seen_version": tea.version}
    cycle = staff.post(page, {"name": "Tea", "parent": tea.pk, **seen}, follow=True)
    assert cycle.status_code == 200
    assert Category.objects.get().parent_id is None
    staff.post(page, {"name": "Tea & Cake", "parent": "", **seen})
    assert Category.objects.get().name == "Tea & Cake"
    categories.category_create(name="Cups", parent_id=tea.pk)
    refused = staff.post(address("category_delete", tea.pk), {"post": "yes"}, follow=True)
    assert messages(refused)[-1] == "It holds 0 products and 1 categories; move them first."
    assert Category.objects.count() == 2


class TestAdjusting:
    def adjust(self, client: Client, pk: int, page: str = "stockitem", **values):
        form = {"_form_submitted": "on", "key": str(new_id()), "delta": "-3", "reason": "broken"}
        return client.post(
            reverse(f"admin:catalog_{page}_adjust_stock", args=[pk]), form | values, follow=True
        )

    @pytest.fixture
    def cup(self):
        return shop.product(10)

    @pytest.fixture
    def pk(self, cup):
        return Product.objects.get(public_id=cup).pk

    @pytest.mark.parametrize("page", ["stockitem", "product"])
    def test_staff_correct_a_count_with_a_reason(self, staff, cup, pk, page):
        key = str(new_id())
        for _ in range(2):  # a double click
            response = self.adjust(staff, pk, page, key=key)
        assert messages(response)[0].endswith("7 on hand, 7 of them available.")
        assert shop.levels(cup) == (7, 0)
        entry = StockLedgerEntry.objects.get(kind="adjusted")
        person = User.objects.get()
        assert (entry.reason, entry.actor) == ("broken", f"staff:{person.public_id}")
        assert LogEntry.objects.first().change_message == "Adjusted by -3: broken"

    def test_the_dialog_asks_for_what_it_needs(self, staff, cup, pk):
        shown = staff.get(reverse("admin:catalog_stockitem_adjust_stock", args=[pk]))
        assert shown.status_code == 200
        for wrong in ({"delta": "0"}, {"delta": "x"}, {"reason": ""}, {"key": "x"}):
            response = self.adjust(staff, pk, **wrong)
            assert set(response.context["form"].errors) == set(wrong)
        assert shop.levels(cup) == (10, 0)

    def test_a_count_below_what_is_reserved_is_refused(self, staff, cup, pk):
        facade.reserve_stock([shop.reserve((cup, 8))])
        response = self.adjust(staff, pk)
        assert messages(response) == ["7 pieces would be left, but 8 are reserved for orders."]
        assert shop.levels(cup) == (10, 8)

    def test_without_the_permission_nothing_changes(self, cup, pk):
        client = logged_in("view_stockitem", "view_product", "change_product")
        for page in ("stockitem", "product"):
            assert self.adjust(client, pk, page).status_code == 403
        assert shop.levels(cup) == (10, 0)
        assert self.adjust(logged_in("view_stockitem", "adjust_stock"), pk).status_code == 200
        assert shop.levels(cup) == (7, 0)


@pytest.mark.parametrize("page", ["stockitem", "reservation", "stockledgerentry"])
def test_the_books_are_read_only(staff, page):
    cup = shop.product(10)
    facade.reserve_stock([shop.reserve((cup, 4))])
    row = staff.get(address(f"{page}_changelist")).context["cl"].queryset[0]
    assert staff.get(address(f"{page}_add")).status_code == 403
    assert staff.post(address(f"{page}_change", row.pk), {"quantity": 1}).status_code == 403
    assert staff.post(address(f"{page}_delete", row.pk), {"post": "yes"}).status_code == 403
    assert shop.levels(cup) == (10, 4)


def test_the_second_of_two_editors_of_a_category_is_told(staff):
    tea = categories.category_create(name="Tea")
    page = address("category_change", tea.pk)
    seen = {"seen_version": tea.version, "parent": ""}
    staff.post(page, {"name": "Teas", "slug": "tea", **seen})
    staff.post(page, {"name": "Tisanes", "slug": "tea", **seen}, follow=True)
    staff.post(page, {"name": "Nobody's", "slug": "tea", "parent": ""}, follow=True)
    assert Category.objects.get(pk=tea.pk).name == "Teas"
