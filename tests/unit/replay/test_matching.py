"""Which sold lines the file's returns belong to; and the same found another way."""

import csv
import gzip
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from apps.orders import replay
from apps.orders.replay.matching import Matcher
from apps.orders.replay.rules import NOT_GOODS_CODES, SHIPPING_CODES
from apps.orders.replay.survey import read_orders, survey_file

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
SAMPLE = Path(replay.__file__).with_name("data") / "online_retail_three_days.csv.gz"


@pytest.fixture
def matched(tmp_path):
    """The matches of a file of (invoice, code, quantity, customer); ``sold`` is all by default."""

    def match(*rows, sold=None):
        path = tmp_path / "sales.csv"
        lines = [
            f"{invoice},{code},x,{quantity},2010-12-01 08:26:00,1.00,{customer},EIRE\n"
            for invoice, code, quantity, customer in rows
        ]
        path.write_text(HEADER + "".join(lines))
        survey = survey_file(path)
        matcher = Matcher(survey)
        for _ in matcher.watch(read_orders(path, survey)):
            pass
        return matcher.match(matcher.invoices if sold is None else sold)

    return match


def found(matches) -> list[tuple[str, str, dict[int, int]]]:
    return [(one.invoice, one.order, one.pieces) for one in matches.returns]


def counts(matches) -> tuple[int, ...]:
    return (
        *(matches.matched, matches.partly_matched, matches.unmatched),
        *(matches.matched_pieces, matches.unmatched_pieces),
    )


def test_the_newest_sale_is_returned_first_and_older_ones_after_it(matched):
    matches = matched(("1", "A", 5, 7), ("2", "A", 2, 7), ("C3", "A", -4, 7), ("C4", "A", -1, 7))
    assert found(matches) == [("C3", "2", {1: 2}), ("C3", "1", {1: 2}), ("C4", "1", {1: 1})]
    assert counts(matches) == (2, 0, 0, 5, 0)


def test_of_an_order_the_last_line_of_the_product_is_returned_first(matched):
    matches = matched(("1", "A", 1, 7), ("1", "X", 1, 7), ("1", "A", 2, 7), ("C2", "A", -2, 7))
    assert found(matches) == [("C2", "1", {3: 2})]
    matches = matched(("1", "A", 1, 7), ("1", "X", 1, 7), ("1", "A", 2, 7), ("C2", "A", -3, 7))
    assert found(matches) == [("C2", "1", {3: 2, 1: 1})]


def test_only_the_same_customer_and_product_match(matched):
    matches = matched(("1", "A", 5, 7), ("C2", "A", -1, 8), ("C3", "X", -1, 7))
    assert found(matches) == []
    assert counts(matches) == (0, 0, 2, 0, 2)


def test_what_is_sold_later_is_not_returned_earlier(matched):
    matches = matched(("C1", "A", -1, 7), ("2", "A", 1, 7))
    assert counts(matches) == (0, 0, 1, 0, 1)


def test_what_finds_too_few_pieces_is_counted_not_guessed(matched):
    matches = matched(("1", "A", 3, 7), ("C2", "A", -5, 7), ("C3", "A", -1, 7))
    assert found(matches) == [("C2", "1", {1: 3})]
    assert counts(matches) == (0, 1, 1, 3, 3)


def test_orders_that_came_to_nothing_are_passed_over(matched):
    rows = ("1", "A", 3, 7), ("2", "A", 3, 7), ("C3", "A", -4, 7)
    assert found(matched(*rows, sold={"1"})) == [("C3", "1", {1: 3})]


def test_rows_that_name_no_goods_of_a_customer_are_no_returns(matched):
    matches = matched(
        ("1", "A", 3, 7), ("C2", "POST", -1, 7), ("C3", "M", -1, 7), ("C4", "A", -1, "")
    )
    assert counts(matches) == (0, 0, 0, 0, 0)


def test_the_sample_is_matched_as_it_is_by_hand():
    """The same answer by other means: no code of the replay but the lists of what is no goods."""
    lines, pieces, unmatched, returns = defaultdict(list), 0, 0, set()
    with gzip.open(SAMPLE, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            code = row["StockCode"].strip().upper()
            customer, quantity = row["CustomerID"], int(row["Quantity"])
            goods = code not in SHIPPING_CODES | NOT_GOODS_CODES
            if not (customer and goods and Decimal(row["UnitPrice"]) > 0):
                continue
            if row["InvoiceNo"].startswith("C"):
                for line in lines[customer, code][::-1]:
                    taken = min(line[1], -quantity)
                    if taken:
                        line[1] -= taken
                        quantity += taken
                        pieces += taken
                        returns.add((row["InvoiceNo"], line[0]))
                unmatched -= quantity
            elif quantity > 0:
                lines[customer, code].append([row["InvoiceNo"], quantity])
    survey = survey_file(SAMPLE)
    matcher = Matcher(survey)
    for _ in matcher.watch(read_orders(SAMPLE, survey)):
        pass
    matches = matcher.match(matcher.invoices)
    assert (matches.matched_pieces, matches.unmatched_pieces) == (pieces, unmatched) == (51, 10_709)
    assert {(one.invoice, one.order) for one in matches.returns} == returns
    assert len(returns) == 6
