"""A day at the counter: what staff do in the browser really happens, mouse or keyboard."""

import re

import pytest
from moneyed import Money
from playwright.sync_api import expect

from apps.catalog import services
from apps.catalog.models import Product
from apps.orders.models import Order
from tests.processes import eventually
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def trade(gateway) -> Trade:
    return Trade(skus=("MUG", "CUP"))


def test_a_day_at_the_counter(counter, trade, tmp_path):
    shipped, cancelled = trade.place(MUG=2).order_id, trade.place(CUP=1).order_id
    drive_all()
    jar = services.product_create(sku="JAR", name="Jar", price=Money("4.00", "GBP"))
    services.product_delete(product_pk=jar.pk)
    staff = counter()
    staff.login()

    ship(staff, shipped)
    cancel(staff, cancelled)
    restore(staff)
    import_products(staff, tmp_path)
    read_the_dashboard(staff)


def ship(staff, order_id) -> None:
    page = staff.go("/admin/orders/order/")
    page.get_by_role("searchbox", name=re.compile("search", re.IGNORECASE)).or_(
        page.locator("#searchbar")
    ).last.fill(str(order_id))
    page.keyboard.press("Enter")
    page.get_by_role("link", name=str(Order.objects.get(pk=order_id))).click()
    page.get_by_role("button", name="Ship").click()
    expect(page.get_by_text("is shipped.")).to_be_visible()
    expect(page.get_by_role("button", name="Mark delivered")).to_be_visible()
    expect(page.locator("#timeline")).to_contain_text("Parcel dispatched")
    assert axes(order_id)[0] == "shipped"


def cancel(staff, order_id) -> None:
    """With the keyboard alone."""
    page = staff.go(f"/admin/orders/order/{order_id}/change/")
    reach(page, "#reason-cancel")
    page.keyboard.type("The customer rang")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is being cancelled.")).to_be_visible()
    eventually(lambda: (drive_all(), axes(order_id)[0] == "cancelled")[1])
    page.reload()
    expect(page.get_by_text("The customer rang").first).to_be_visible()


def reach(page, selector: str) -> None:
    """Presses Tab until the element has the focus."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    pytest.fail(f"{selector} cannot be reached by keyboard")


def restore(staff) -> None:
    page = staff.go("/admin/")
    page.get_by_role("link", name="Trash").click()
    staff.look("trash")
    page.get_by_role("link", name="JAR Jar").click()
    staff.look("trash-one")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("JAR Jar was restored.")).to_be_visible()
    assert Product.objects.filter(sku="JAR").exists()


def import_products(staff, tmp_path) -> None:
    file = tmp_path / "products.csv"
    file.write_text("sku,name,price\nPOT,Pot,12.00\nPAN,Pan,a lot\n")
    page = staff.go("/admin/catalog/product/")
    page.locator("a[href$='/product/import/']").click()
    staff.look("import")
    upload(page, file)
    expect(page.locator("#import-errors")).to_contain_text("Row 2: price: “a lot” is not a number.")
    staff.look("import-error")
    assert not Product.objects.filter(sku="POT").exists()

    file.write_text("sku,name,price\nPOT,Pot,12.00\nPAN,Pan,15.00\n")
    upload(page, file)
    expect(page.get_by_text("all 2 rows are fine")).to_be_visible()
    staff.look("import-confirm")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 rows imported")).to_be_visible()
    assert Product.objects.filter(sku__in=["POT", "PAN"]).count() == 2


def upload(page, file) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_label("Format").select_option(label="csv")
    page.get_by_role("button", name="Dry run").click()


def read_the_dashboard(staff) -> None:
    page = staff.go("/admin/")
    states = page.get_by_role("region", name="Orders by state")
    expect(states.get_by_role("listitem").filter(has_text="Shipped")).to_contain_text("1")
    expect(states.get_by_role("listitem").filter(has_text="Cancelled")).to_contain_text("1")
    expect(page.get_by_role("region", name="Low stock")).to_contain_text("POT")
    charts = page.locator("canvas.chart")
    assert charts.count() == 2
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert all(one.evaluate(drawn) for one in charts.all())


def test_two_members_of_staff_at_one_order(counter, trade):
    order_id = trade.place(MUG=1).order_id
    drive_all()
    first, second = counter(), counter()
    for one in (first, second):
        one.login()
        one.go(f"/admin/orders/order/{order_id}/change/")

    first.page.get_by_role("button", name="Ship").click()
    expect(first.page.get_by_text("is shipped.")).to_be_visible()
    second.page.get_by_label("Reason").fill("Too late")
    second.page.get_by_role("button", name="Cancel order").click()
    expect(second.page.get_by_text("Changed meanwhile")).to_be_visible()
    assert axes(order_id)[0] == "shipped"
