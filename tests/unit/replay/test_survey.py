"""What a sales file holds: the truth about the sample, and the small rules behind it."""

from decimal import Decimal
from pathlib import Path

import pytest

from apps.orders import replay
from apps.orders.replay.countries import CODES
from apps.orders.replay.reader import SalesFileError
from apps.orders.replay.rules import Rejection
from apps.orders.replay.survey import ProductFacts, Sale, money, read_orders, survey_file

SAMPLE = Path(replay.__file__).with_name("data") / "online_retail_three_days.csv.gz"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


@pytest.fixture
def written(tmp_path):
    def write(*rows):
        path = tmp_path / "sales.csv"
        path.write_text("\n".join([HEADER, *rows]))
        return path

    return write


def row(invoice="1", code="A1", name="Cup", quantity=1, price="1.00", customer="7", country="EIRE"):
    return f"{invoice},{code},{name},{quantity},2010-12-01 08:26:00,{price},{customer},{country}"


def test_the_truth_about_the_three_days():
    survey = survey_file(SAMPLE)
    assert survey.rows == 7_419
    assert survey.orders == 314
    assert survey.lines == 5_027
    assert survey.units == 67_169
    assert len(survey.products) == 1_471
    assert len(survey.customers) == 233
    assert money(survey.goods_value) == Decimal("117078.83")
    assert money(survey.shipping_value) == Decimal("499.00")
    assert survey.rejected == {
        Rejection.NO_CUSTOMER: 2_290,
        Rejection.CANCELLATION: 84,
        Rejection.NOT_GOODS: 4,
    }


def test_the_orders_of_the_three_days_add_up_to_the_survey():
    survey = survey_file(SAMPLE)
    orders = list(read_orders(SAMPLE, survey))
    assert len({order.invoice for order in orders}) == len(orders) == survey.orders
    sales = [sale for order in orders for sale in order.sales]
    assert len(sales) == survey.lines
    assert sum(sale.quantity * sale.pence for sale in sales) == survey.goods_value
    assert sum(order.shipping for order in orders) == survey.shipping_value
    assert {order.customer: order.country for order in orders} == survey.customers


def test_the_first_day_of_the_sample_is_a_part_of_it():
    survey = survey_file(SAMPLE, limit_days=1)
    orders = list(read_orders(SAMPLE, survey, limit_days=1))
    assert survey.orders == len(orders) == 121
    assert {order.moment[:10] for order in orders} == {"2010-12-01"}


def test_products_have_their_first_name_and_price_and_the_demand_of_all_rows(written):
    survey = survey_file(
        written(
            row(code="a1 ", name="", quantity=2, price="1.50"),
            row(code="A1", name="Cup", quantity=3, price="1.25"),
            row(code="A1", name="Mug", invoice="2"),
            row(code="A1", quantity=50, customer=""),
        )
    )
    assert survey.products == {"A1": ProductFacts("Cup", 150, 6)}


def test_shipping_lines_are_the_charge_of_the_order_and_alone_no_order(written):
    path = written(
        row(code="POST", quantity=2, price="18.00"),
        row(),
        row(code="c2", price="0.50"),
        row(invoice="2", code="POST", price="9.00", customer="8"),
        row(invoice="3", code="M"),
        row(invoice="3", code="DOT"),
    )
    survey = survey_file(path)
    assert (survey.orders, survey.lines, survey.shipping_lines) == (1, 1, 2)
    assert survey.shipping_value == 3650
    assert survey.rejected == {Rejection.SHIPPING_ONLY: 2, Rejection.NOT_GOODS: 1}
    assert list(survey.customers) == [7]
    [order] = read_orders(path, survey)
    assert (order.shipping, order.sales) == (3650, [Sale("A1", 1, 100)])


def test_an_interleaved_order_is_whole_and_appears_when_its_last_row_was_read(written):
    path = written(
        row(invoice="1", code="A1"),
        row(invoice="2", code="B1", customer="8"),
        row(invoice="1", code="C1"),
        row(invoice="2", code="D1", customer="8"),
        row(invoice="1", code="POST"),
        row(invoice="1", code="M"),
    )
    orders = list(read_orders(path, survey_file(path)))
    assert [order.invoice for order in orders] == ["2", "1"]
    assert [[sale.code for sale in order.sales] for order in orders] == [["B1", "D1"], ["A1", "C1"]]


def test_the_same_product_may_stand_twice_in_an_order(written):
    path = written(row(quantity=2, price="1.00"), row(quantity=3, price="0.90"))
    [order] = read_orders(path, survey_file(path))
    assert order.sales == [Sale("A1", 2, 100), Sale("A1", 3, 90)]


def test_an_order_of_two_customers_and_an_unknown_country_are_broken_rows(written):
    with pytest.raises(SalesFileError, match="line 3, column CustomerID: invoice 1 belongs to cus"):
        survey_file(written(row(), row(customer="8")))
    with pytest.raises(SalesFileError, match="line 2, column Country: 'Atlantis' is no country"):
        survey_file(written(row(country="Atlantis")))


def test_every_country_is_a_two_letter_code():
    assert {code for code in CODES.values() if not (len(code) == 2 and code.isupper())} == set()
    assert (CODES["EIRE"], CODES["RSA"], CODES["Unspecified"]) == ("IE", "ZA", "GB")


def test_an_order_longer_than_the_shop_accepts_is_a_broken_file(written):
    longest = [row()] * 1_000
    assert survey_file(written(*longest, row(code="POST"))).lines == 1_000
    with pytest.raises(SalesFileError, match="line 1002: an order has at most 1,000 lines"):
        survey_file(written(*longest, row()))
