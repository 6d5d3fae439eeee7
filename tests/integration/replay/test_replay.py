"""The main job on a day of the sample: the books are the file's, however often it is replayed."""

import io
import re
from decimal import Decimal

import orjson
import pytest
from django.core.management import CommandError, call_command

from apps.catalog import facade as catalog
from apps.catalog.models import Product
from apps.common.progress import Silent
from apps.orders import facade as orders
from apps.orders.models import Order, OrderReturn
from apps.orders.replay import selectors
from apps.orders.replay.importing import Stock
from apps.orders.replay.placing import PlacingError
from apps.orders.replay.services import sales_replay
from apps.orders.replay.waiting import NothingMoves
from tests.trade import drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SALES = """\
1,A1,Cup,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1,POST,POSTAGE,1,2010-12-01 08:26:00,18.00,17850.0,United Kingdom
1,A1,Cup,2,2010-12-01 08:26:00,2.10,17850.0,United Kingdom
2,A1,Cup,5,2010-12-02 09:00:00,2.55,12583.0,EIRE
2,b2 ,,4,2010-12-02 09:00:00,1.00,12583.0,EIRE
C3,A1,Cup,-1,2010-12-02 10:00:00,2.55,17850.0,United Kingdom
4,b2,Bowl,1,2010-12-02 11:00:00,1.20,17850.0,United Kingdom
"""


@pytest.fixture
def engine(gateway, monkeypatch):
    """Drives the sagas in this process whenever the replay looks for those that ended."""
    ended = selectors.ended_sagas

    def drive_and_look(keys, *kind):
        drive_all()
        return ended(keys, *kind)

    monkeypatch.setattr(selectors, "ended_sagas", drive_and_look)


@pytest.fixture
def sales(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + SALES)
    return path


def replay(path, **options) -> dict:
    printed = io.StringIO()
    call_command("replay_sales", str(path), json=True, stdout=printed, **options)
    return orjson.loads(printed.getvalue())


def without(answer: dict, *names: str) -> dict:
    return {name: value for name, value in answer.items() if name not in names}


def test_the_books_are_those_of_the_file(engine, sales):
    answer = replay(sales)
    assert answer["audit"]["violations"] == 0
    assert answer["audit"]["checks"]["money_balances"]["checked"] == 3
    assert without(answer, "audit", "seconds") == {
        "rows": 7,
        "orders": {"placed": 3, "confirmed": 3, "compensated": 0, "failed": 0},
        "lines": 5,
        "shipping_lines": 1,
        "units": 18,
        "products": 2,
        "customers": 2,
        "goods_value": "37.45",
        "shipping_value": "18.00",
        "captured_value": "55.45",
        "kept_value": "53.35",
        "returns": {
            "rows": 1,
            "no_goods": 0,
            "matched": 1,
            "partly_matched": 0,
            "unmatched": 0,
            "pieces": 1,
            "unmatched_pieces": 0,
            "orders": 1,
            "taken": 1,
            "completed": 1,
            "refused": 0,
            "failed": 0,
            "value": "2.10",
        },
        "rejected": {"cancellation": 1},
    }


def test_an_order_has_the_prices_the_date_and_the_country_of_the_file(engine, sales):
    replay(sales)
    first = Order.objects.get(external_reference="ample:1")
    view = orders.get_order(first.id)
    assert view.placed_at.isoformat() == "2010-12-01T08:26:00+00:00"
    assert (view.goods_total.amount, view.shipping_total.amount) == (
        Decimal("19.50"),
        Decimal("18.00"),
    )
    assert [
        (line.sku, line.name, line.quantity, line.unit_price.amount) for line in view.lines
    ] == [
        ("A1", "Cup", 6, Decimal("2.55")),
        ("A1", "Cup", 2, Decimal("2.10")),
    ]
    second = orders.get_order(Order.objects.get(external_reference="ample:2").id)
    assert second.address["country"] == "IE"
    assert [(line.sku, line.name) for line in second.lines] == [("A1", "Cup"), ("B2", "Bowl")]


def test_ample_stock_is_exactly_the_demand(engine, sales):
    replay(sales, limit_days=1)
    line = Order.objects.get(external_reference="ample:1").lines.first()
    [level] = catalog.stock_levels([line.product_id])
    assert (level.on_hand, level.reserved) == (8, 8)
    # The second day sells five more, ships the first order's eight and takes one of them back.
    replay(sales)
    [level] = catalog.stock_levels([line.product_id])
    assert (level.on_hand, level.reserved) == (6, 5)


def test_a_repeated_run_places_nothing_twice_and_reports_the_same_books(engine, sales):
    first = replay(sales)
    again = replay(sales)
    assert without(again, "seconds") == without(first, "seconds")
    assert Order.objects.count() == 3
    assert OrderReturn.objects.count() == 1


def test_a_longer_piece_of_the_file_goes_on_where_the_shorter_one_ended(engine, sales):
    day = replay(sales, limit_days=1)
    assert day["orders"]["placed"] == 1
    assert day["captured_value"] == "37.50"
    both = replay(sales)
    assert both["orders"] == {"placed": 3, "confirmed": 3, "compensated": 0, "failed": 0}
    assert both["captured_value"] == "55.45"
    assert both["audit"]["violations"] == 0
    assert Order.objects.count() == 3


def test_scarce_stock_compensates_what_cannot_be_sent(engine, sales):
    # 60 % of 13 A1 and 5 B2: 7 and 3. The first order wants 8 A1, the second 4 B2.
    answer = replay(sales, stock="scarce")
    assert answer["orders"] == {"placed": 3, "confirmed": 1, "compensated": 2, "failed": 0}
    assert (answer["goods_value"], answer["captured_value"]) == ("37.45", "1.20")
    assert answer["audit"]["violations"] == 0


def test_ample_and_scarce_runs_of_a_file_stand_side_by_side(engine, sales):
    replay(sales, stock="scarce")
    answer = replay(sales)
    assert answer["orders"] == {"placed": 3, "confirmed": 3, "compensated": 0, "failed": 0}
    assert Order.objects.count() == 6


def test_a_broken_file_is_named_and_nothing_is_placed(sales):
    with sales.open("a") as file:
        file.write("5,A1,Cup,many,2010-12-02 11:00:00,1.20,17850.0,EIRE\n")
    with pytest.raises(CommandError, match=r"sales\.csv, line 9, column Quantity: 'many' is no"):
        replay(sales)
    assert Order.objects.count() == 0
    assert catalog.catalogue_is_empty()


def test_a_refused_order_is_named(engine, sales):
    replay(sales, limit_days=1)
    product = Order.objects.get().lines.first().product_id
    Product.objects.filter(public_id=product).update(active=False)
    with pytest.raises(PlacingError, match=r"ample:2: lines\[0\].product_id: "):
        sales_replay(path=sales, stock=Stock.AMPLE, progress=Silent())
    assert not Order.objects.filter(external_reference="ample:2").exists()


def test_a_shop_in_which_nothing_moves_is_told_apart_from_a_slow_one(gateway, sales):
    with pytest.raises(NothingMoves, match="3 wait: the gateway answers, but does a worker"):
        sales_replay(path=sales, stock=Stock.AMPLE, progress=Silent(), patience=0.3)
    gateway.stop()
    with pytest.raises(NothingMoves, match="3 wait: the payment gateway does not answer"):
        sales_replay(path=sales, stock=Stock.AMPLE, progress=Silent(), patience=0.3)
    assert Order.objects.count() == 3


def test_people_get_a_table_and_logs_get_lines(engine, sales, capsys):
    printed = io.StringIO()
    call_command("replay_sales", str(sales), stdout=printed)
    text = printed.getvalue()
    assert "sales.csv, ample stock" in text
    assert re.search(r"orders confirmed +│ +3 ", text)
    assert re.search(r"captured value \(GBP\) +│ +55\.45 ", text)
    assert re.search(r"money_balances +│ +3 +│ +0 ", text)
    assert capsys.readouterr().err.splitlines() == [
        "Reading the file: 1",
        "Customers: 2",
        "Products: 2",
        "Stock: 2",
        "Orders: 3",
        "Sagas: 3",
        "Shipping: 1",
        "Returns: 1",
        "Dispatch sagas: 1",
        "Return sagas: 1",
        "Audit: 1",
    ]


@pytest.mark.parametrize("days", ["0", "-1", "two"])
def test_a_number_of_days_is_positive(days):
    with pytest.raises(CommandError, match="is no number of days from 1"):
        call_command("replay_sales", f"--limit-days={days}")
