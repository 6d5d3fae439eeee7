"""Rows by CSV and XLSX: a dry run first, all or nothing, through the services."""

import csv
import io
import re
from uuid import uuid4

import openpyxl
import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.catalog.models import Product, StockLedgerEntry
from apps.common.transfer import admin, formats
from apps.customers.models import User
from apps.orders.models import Order
from apps.sagas.models import SagaRun
from tests.told import listening
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
CSV, XLSX = "0", "1"
PRODUCTS, PRICES, STOCK = "0", "1", "2"
PRODUCT_PAGE, USER_PAGE, ORDER_PAGE = (
    "/admin/catalog/product/",
    "/admin/customers/user/",
    "/admin/orders/order/",
)


def sheet(*rows: list) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def dry_run(client, page: str, data: str | bytes, *, resource: str = "0", kind: str = CSV):
    raw = data.encode() if isinstance(data, str) else data
    upload = SimpleUploadedFile("rows.csv", raw)
    given = {"import_file": upload, "format": kind, "resource": resource}
    answer = client.post(f"{page}import/", given)
    assert answer.status_code == 200
    return answer


def wrong(answer) -> list[str]:
    """What the page complains of; nothing can be confirmed then."""
    assert "confirm_form" not in answer.context
    found = re.search(r'id="import-errors".*?</ul>', answer.content.decode(), re.DOTALL)
    form = [text for texts in answer.context["form"].errors.values() for text in texts]
    shown = re.findall(r'desk-bad">(.*?)</span>', found[0], re.DOTALL) if found else []
    return [*form, *shown]


def confirm(client, answer) -> list[str]:
    form = answer.context["confirm_form"]
    page = answer.request["PATH_INFO"].removesuffix("import/")
    answer = client.post(f"{page}process_import/", form.initial, follow=True)
    return [str(message) for message in answer.context["messages"]]


def load(client, page: str, data: str | bytes, **words) -> list[str]:
    return confirm(client, dry_run(client, page, data, **words))


def products() -> dict[str, str]:
    return {one.sku: f"{one.name} {one.price.amount}" for one in Product.objects.all()}


def export(client, page: str, *, resource: str = "0", kind: str = CSV, query: str = "") -> list:
    answer = client.post(f"{page}export/{query}", {"format": kind, "resource": resource})
    assert answer["Content-Disposition"].startswith("attachment")
    if kind == CSV:
        return list(csv.reader(io.StringIO(answer.content.decode())))
    rows = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    return [[cell.value for cell in row] for row in rows]


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user(f"{uuid4()}@example.com", name="Clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def test_a_dry_run_writes_nothing_and_the_import_writes_all(staff):
    rows = "sku,name,price,category\nCUP,Cup,4.50,Kitchen\nMUG,Mug,5,\n"
    answer = dry_run(staff, PRODUCT_PAGE, rows)
    assert b"all 2 rows are fine" in answer.content
    assert products() == {}

    assert confirm(staff, answer) == ["2 rows imported, 0 changed nothing."]
    assert products() == {"CUP": "Cup 4.50", "MUG": "Mug 5.00"}
    assert Product.objects.get(sku="CUP").category.name == "Kitchen"
    assert load(staff, PRODUCT_PAGE, rows) == ["0 rows imported, 2 changed nothing."]


def test_a_spreadsheet_does_as_well(staff):
    data = sheet(["sku", "name", "price"], ["CUP", "Cup", 4.5], [17, "Seventeen", 3])
    assert load(staff, PRODUCT_PAGE, data, kind=XLSX) == ["2 rows imported, 0 changed nothing."]
    assert products() == {"CUP": "Cup 4.50", "17": "Seventeen 3.00"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("sku,name,price\nA,Ann,1\nB,Ben,much", "Row 2: price: “much” is not a number."),
        ("sku,name,price\nA,Ann,-1", "Row 1: price: 0 to 9,999,999,999."),
        ("sku,name,price\n,Ann,1", "Row 1: sku: This field may not be blank."),
        ("sku,name,price,currency\nA,Ann,1,XXQ", "Row 1: currency: “XXQ” is no currency."),
        ("sku,price\nA,1", "The file lacks the columns: name."),
        ("sku,name,price,prize\nA,Ann,1,2", "The file has unknown columns: prize."),
        ("sku,name,price,sku\nA,Ann,1,2", "The file has columns twice: sku."),
    ],
)
def test_an_error_names_row_and_column_and_keeps_the_file_out(staff, rows, told):
    assert wrong(dry_run(staff, PRODUCT_PAGE, rows)) == [told]
    assert products() == {}


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"", CSV), (b"\xff\xfe\x00", CSV), (b"no spreadsheet", XLSX), (b"sku,name,price\n", CSV)],
)
def test_a_file_that_is_none_is_refused(staff, data, kind):
    assert wrong(dry_run(staff, PRODUCT_PAGE, data, kind=kind)) != []


def test_too_many_rows_are_refused(staff, monkeypatch):
    monkeypatch.setattr(formats, "MAX_ROWS", 1)
    rows = "sku,name,price\nA,Ann,1\nB,Ben,1\n"
    assert len(wrong(dry_run(staff, PRODUCT_PAGE, rows))) == 1


def test_a_spreadsheet_that_unpacks_to_much_is_refused(staff, monkeypatch):
    monkeypatch.setattr(formats, "MAX_UNPACKED_BYTES", 1_000)
    data = sheet(["sku", "name", "price"], ["A", "Ann", 1])
    assert len(wrong(dry_run(staff, PRODUCT_PAGE, data, kind=XLSX))) == 1


def test_prices_change_with_their_history(staff):
    Trade(skus=("CUP", "MUG"))
    rows = "sku,price\nCUP,7.25\nMUG,9.50\n"
    said = load(staff, PRODUCT_PAGE, rows, resource=PRICES)
    assert said == ["1 rows imported, 1 changed nothing."]
    cup = Product.objects.get(sku="CUP")
    assert (cup.price.amount, cup.version) == (7.25, 2)
    assert cup.price_changes.count() == 2
    told = wrong(dry_run(staff, PRODUCT_PAGE, "sku,price\nJAR,1", resource=PRICES))
    assert told == ["Row 1: sku: There is no product “JAR”."]


def test_stock_is_corrected_once_per_file(staff):
    trade = Trade(skus=("CUP",), stock=5)
    rows = "sku,change,reason\nCUP,-2,broken\nCUP,+1,found\n"
    assert load(staff, PRODUCT_PAGE, rows, resource=STOCK) == [
        "2 rows imported, 0 changed nothing."
    ]
    assert trade.levels() == {"CUP": (4, 0)}
    load(staff, PRODUCT_PAGE, rows, resource=STOCK)
    assert trade.levels() == {"CUP": (4, 0)}
    reasons = StockLedgerEntry.objects.filter(kind="adjusted").order_by("id")
    assert list(reasons.values_list("reason", flat=True)) == ["broken", "found"]


def test_stock_that_is_not_there_cannot_be_taken(staff):
    trade = Trade(skus=("CUP",), stock=5)
    rows = "sku,change,reason\nCUP,1,found\nCUP,-9,broken\nCUP,1.5,half\nCUP,0,none\nCUP,1,\n"
    told = wrong(dry_run(staff, PRODUCT_PAGE, rows, resource=STOCK))
    assert [text.partition(":")[0] for text in told] == ["Row 2", "Row 3", "Row 4", "Row 5"]
    assert trade.levels() == {"CUP": (5, 0)}


def test_what_an_import_changes_is_told_and_a_dry_run_tells_nothing(staff):
    Trade(skus=("CUP",), stock=5)
    with listening("catalog") as told, listening("default") as of_people:
        dry_run(staff, PRODUCT_PAGE, "sku,price\nCUP,7\n", resource=PRICES)
        dry_run(staff, USER_PAGE, "email,name\nann@example.org,Ann\n")
    assert [*told, *of_people] == []
    with listening("catalog") as told, listening("default") as of_people:
        load(staff, PRODUCT_PAGE, "sku,name,price,category\nCUP,Cup,1,\nJAR,Jar,2,Tea\n")
        load(staff, PRODUCT_PAGE, "sku,price\nCUP,7\nJAR,2\n", resource=PRICES)
        load(staff, PRODUCT_PAGE, "sku,change,reason\nCUP,-5,broken\n", resource=STOCK)
        load(staff, USER_PAGE, "email,name\nann@example.org,Ann\n")
    assert told.topics == [
        *("category.created", "product.created", "product.updated"),
        *("stock.adjusted", "stock.depleted"),
    ]
    assert [(one.topic, one.payload.signed_up) for one in of_people] == [
        ("customer.created", False)
    ]


def test_customers_come_in_with_their_address(staff):
    rows = "email,name,line1,city,country\nAnn@Example.org,Ann,1 High St,Ely,GB\nb@x.org,Ben,,,\n"
    assert load(staff, USER_PAGE, rows) == ["2 rows imported, 0 changed nothing."]
    ann = User.objects.get(email="ann@example.org")
    assert [one.city for one in ann.addresses.all()] == ["Ely"]

    told = wrong(dry_run(staff, USER_PAGE, "email,name,line1,city,country\nx,Xi,1 Rd,,ZZ"))
    assert told[0].startswith("Row 1: ")
    assert {"email", "city", "country"} <= set(re.findall(r"(\w+): ", told[0]))


ORDER_COLUMNS = (
    "reference,email,sku,quantity,unit_price,shipping,placed_at,card_token,name,line1,city,country"
)


def order_row(reference: str, sku: str, quantity: object = 1, /, **changes: str) -> str:
    row = {
        "reference": reference,
        "email": "ada@example.org",
        "sku": sku,
        "quantity": str(quantity),
        "unit_price": "3.10",
        "shipping": "1.00",
        "placed_at": "2026-01-05T10:00:00Z",
        "card_token": "tok_approve",
        "name": "Ada",
        "line1": "1 High St",
        "city": "Ely",
        "country": "GB",
    } | changes
    return ",".join(row.values())


def test_orders_come_in_line_by_line_with_their_sagas(staff):
    Trade()
    rows = "\n".join(
        [
            ORDER_COLUMNS,
            order_row("W-1", "MUG", 2),
            order_row("W-1", "CUP"),
            order_row("W-2", "CUP"),
        ]
    )
    answer = dry_run(staff, ORDER_PAGE, rows)
    assert (Order.objects.count(), SagaRun.objects.count()) == (0, 0)

    assert confirm(staff, answer) == ["3 rows imported, 0 changed nothing."]
    found = {one.external_reference: one for one in Order.objects.all()}
    assert {key: str(one.total) for key, one in found.items()} == {"W-1": "10.30", "W-2": "4.10"}
    assert found["W-1"].placed_at.isoformat() == "2026-01-05T10:00:00+00:00"
    assert SagaRun.objects.filter(kind="checkout").count() == 2
    load(staff, ORDER_PAGE, rows)
    assert Order.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sku": "JAR"}, "sku: There is no product “JAR” for sale. (line in row 2)"),
        ({"quantity": "0"}, "quantity: 1 to 1,000,000 pieces (line in row 2)"),
        ({"quantity": "x"}, "quantity: “x” is not a number. (line in row 2)"),
        ({"unit_price": "-1"}, "unit_price: not negative, at most two decimals (line in row 2)"),
    ],
)
def test_an_order_that_is_wrong_names_its_line(staff, changes, told):
    Trade()
    rows = "\n".join([ORDER_COLUMNS, order_row("W-1", "MUG"), order_row("W-1", "CUP", **changes)])
    assert wrong(dry_run(staff, ORDER_PAGE, rows)) == [f"Row 1: {told}"]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"email": "nobody@example.org"}, "email"),
        ({"placed_at": "yesterday"}, "placed_at"),
        ({"placed_at": "2999-01-01T00:00:00Z"}, "placed_at"),
        ({"placed_at": "2026-13-01T00:00:00Z"}, "placed_at"),
        ({"card_token": ""}, "card_token"),
        ({"country": "ZZ"}, "country"),
        ({"shipping": "x"}, "shipping"),
        ({"reference": ""}, "reference"),
    ],
)
def test_an_order_that_is_wrong_names_its_column(staff, changes, column):
    Trade()
    [told] = wrong(
        dry_run(staff, ORDER_PAGE, f"{ORDER_COLUMNS}\n{order_row('W-1', 'MUG', **changes)}")
    )
    assert told.startswith(f"Row 1: {column}: ")


def test_a_formula_leaves_as_text_and_comes_back_as_it_was(staff):
    evil = '=HYPERLINK("http://evil")'
    data = f'sku,name,price\nA,"{evil.replace(chr(34), chr(34) * 2)}",1\n@B,+1+1,1\nC,-5,1\n'
    load(staff, PRODUCT_PAGE, data)
    for kind in (CSV, XLSX):
        names = {row[0]: row[1] for row in export(staff, PRODUCT_PAGE, kind=kind)[1:]}
        assert names == {"A": f"'{evil}", "'@B": "'+1+1", "C": "-5"}
    Product.objects.all().delete()

    load(staff, PRODUCT_PAGE, "sku,name,price\nD,'=1,1\n")
    assert products() == {"D": "=1 1.00"}


def test_an_export_is_what_the_list_shows(staff):
    Trade(skus=("CUP", "MUG"), stock=3)
    rows = export(staff, PRODUCT_PAGE, resource=STOCK, query="?q=CUP")
    columns = ["sku", "name", "on_hand", "reserved", "available"]
    assert rows == [columns, ["CUP", "Cup", "3", "0", "3"]]
    [head, *people] = export(staff, USER_PAGE)
    assert "ada@example.org" in {row[head.index("email")] for row in people}
    assert "password" not in head
    assert export(staff, ORDER_PAGE)[0][:3] == ["id", "reference", "status"]


def test_too_much_is_not_exported_at_once(staff, monkeypatch):
    Trade(skus=("CUP", "MUG"))
    monkeypatch.setattr(admin, "MAX_EXPORTED", 1)
    answer = staff.post(f"{PRODUCT_PAGE}export/", {"format": CSV, "resource": "0"}, follow=True)
    assert "At most 1 rows" in answer.content.decode()


def test_an_upload_that_is_gone_is_asked_for_again(staff):
    answer = dry_run(staff, PRODUCT_PAGE, "sku,name,price\nA,Ann,1\n")
    form = answer.context["confirm_form"].initial
    names = ("0" * 32, "../../etc/passwd", "passwd", "")
    changes = [{"import_file_name": name} for name in names]
    for change in (*changes, {"format": "7"}, {"format": "x"}, {"resource": "9"}):
        given = form | change
        again = staff.post(f"{PRODUCT_PAGE}process_import/", given, follow=True)
        assert "upload it again" in again.content.decode()
    assert products() == {}


def test_what_changed_since_the_dry_run_keeps_the_file_out(staff):
    answer = dry_run(staff, PRODUCT_PAGE, "sku,price\nCUP,1\n", resource=PRICES)
    assert wrong(answer) != []
    Trade(skus=("CUP", "MUG"))
    answer = dry_run(staff, PRODUCT_PAGE, "sku,price\nCUP,1\nMUG,1\n", resource=PRICES)
    Product.objects.get(sku="MUG").delete()
    [said] = confirm(staff, answer)
    assert said.startswith("Nothing was imported")
    assert products() == {"CUP": "Cup 9.50"}


def test_people_import_and_export_what_they_may():
    assert clerk("view_product").get(f"{PRODUCT_PAGE}import/").status_code == 403
    assert clerk("view_product").get(f"{PRODUCT_PAGE}export/").status_code == 200
    assert clerk("view_order").get(f"{PRODUCT_PAGE}export/").status_code == 403
    keeper = clerk("view_product", "adjust_stock")
    offered = keeper.get(f"{PRODUCT_PAGE}import/").context["fields_list"]
    assert [title for title, _ in offered] == ["Stock"]
    assert keeper.post(f"{USER_PAGE}import/").status_code == 403
    assert keeper.post(f"{PRODUCT_PAGE}process_import/").status_code == 302
    assert clerk("view_product").post(f"{PRODUCT_PAGE}process_import/").status_code == 403
