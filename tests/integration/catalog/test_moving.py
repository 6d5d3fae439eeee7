"""Goods coming in, counts corrected, and the guards below both."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from apps.catalog import facade
from apps.catalog.contracts import AdjustStock, ReceiveStock, StockLevel
from apps.catalog.models import Product, StockItem, StockLedgerEntry
from apps.catalog.stock import sql
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.messaging.idempotency import KeyReused
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


def adjustment(product_id, delta, key="k", reason="counted again") -> AdjustStock:
    return AdjustStock(key, "staff@example.com", product_id, delta, reason)


def test_an_adjustment_changes_the_count_once():
    cup = shop.product(10)
    for _ in range(2):
        assert facade.adjust_stock(adjustment(cup, -3)) == StockLevel(cup, 7, 0)
    assert shop.levels(cup) == (7, 0)
    entry = StockLedgerEntry.objects.get(kind="adjusted")
    assert (entry.delta_on_hand, entry.actor, entry.reason, entry.reference) == (
        -3,
        "staff@example.com",
        "counted again",
        "k",
    )
    assert facade.audit_stock() == []


def test_an_adjustment_key_for_another_request_is_refused():
    cup = shop.product(10)
    facade.adjust_stock(adjustment(cup, -3))
    with pytest.raises(KeyReused):
        facade.adjust_stock(adjustment(cup, -4))
    assert shop.levels(cup) == (7, 0)


def test_an_adjustment_below_what_is_reserved_is_a_conflict():
    cup = shop.product(10)
    facade.reserve_stock([shop.reserve((cup, 8))])
    with pytest.raises(Conflict) as caught:
        facade.adjust_stock(adjustment(cup, -3))
    assert (caught.value.code, caught.value.extra) == (
        "below_reserved",
        {"on_hand": 10, "reserved": 8},
    )
    assert shop.levels(cup) == (10, 8)
    assert facade.adjust_stock(adjustment(cup, -2)) == StockLevel(cup, 8, 8)


@pytest.mark.parametrize(
    ("delta", "reason", "field", "code"),
    [
        (0, "why", "delta", "no_change"),
        (1_000_000_001, "why", "delta", "max_value"),
        (-1_000_000_001, "why", "delta", "max_value"),
        (1, "  ", "reason", "blank"),
        (1, "x" * 201, "reason", "max_length"),
    ],
)
def test_an_adjustment_that_makes_no_sense_names_the_field(delta, reason, field, code):
    cup = shop.product(10)
    with pytest.raises(InvalidInput) as caught:
        facade.adjust_stock(adjustment(cup, delta, reason=reason))
    assert [(one.field, one.code) for one in caught.value.errors] == [(field, code)]
    assert shop.ledger(cup) == [("received", 10, 0)]


def test_adjusting_an_unknown_product_is_not_found():
    with pytest.raises(NotFound):
        facade.adjust_stock(adjustment(uuid4(), 1))


def test_receiving_tops_up_under_its_reference():
    cup, pot = shop.product(), shop.product()
    assert facade.receive_stock([ReceiveStock("d1", cup, 5), ReceiveStock("d1", pot, 7)]) == 12
    assert facade.receive_stock([ReceiveStock("d1", cup, 5), ReceiveStock("d1", pot, 9)]) == 2
    assert facade.receive_stock([ReceiveStock("d1", cup, 3)]) == 0
    assert facade.receive_stock([ReceiveStock("d2", cup, 3), ReceiveStock("d2", cup, 3)]) == 3
    assert facade.receive_stock([]) == 0
    assert (shop.levels(cup), shop.levels(pot)) == ((8, 0), (9, 0))
    assert shop.ledger(pot) == [("received", 7, 0), ("received", 2, 0)]
    assert facade.audit_stock() == []


def test_receiving_for_an_unknown_product_receives_nothing():
    cup = shop.product()
    with pytest.raises(NotFound):
        facade.receive_stock([ReceiveStock("d1", cup, 5), ReceiveStock("d1", uuid4(), 7)])
    assert shop.levels(cup) == (0, 0)


@pytest.mark.parametrize("total", [-1, 1_000_000_001])
def test_receiving_an_impossible_total_is_refused(total):
    with pytest.raises(InvalidInput):
        facade.receive_stock([ReceiveStock("d1", shop.product(), total)])


def test_a_long_reference_is_refused():
    with pytest.raises(InvalidInput):
        facade.receive_stock([ReceiveStock("d" * 101, shop.product(), 1)])


@pytest.mark.parametrize("change", [{"reserved": 4}, {"reserved": -1}, {"on_hand": -1}])
def test_the_database_itself_refuses_an_oversold_item(change):
    cup = shop.product(3)
    with pytest.raises(IntegrityError, match="stock_never_oversold"), transaction.atomic("catalog"):
        StockItem.objects.filter(product__public_id=cup).update(**change)


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "reserved", "delta_on_hand": 0, "delta_reserved": -1},
        {"kind": "released", "delta_on_hand": 0, "delta_reserved": 1},
        {"kind": "sold", "delta_on_hand": -2, "delta_reserved": -1},
        {"kind": "received", "delta_on_hand": -1, "delta_reserved": 0},
        {"kind": "adjusted", "delta_on_hand": 0, "delta_reserved": 0},
        {"kind": "stolen", "delta_on_hand": -1, "delta_reserved": 0},
    ],
    ids=lambda entry: entry["kind"],
)
def test_the_database_refuses_a_ledger_row_of_the_wrong_sign(entry):
    with pytest.raises(IntegrityError, match="ledger_signs"), transaction.atomic("catalog"):
        StockLedgerEntry.objects.create(product_id=1, reference="", reason="", actor="", **entry)


@pytest.mark.parametrize("change", [{"delta_on_hand": 4}, None], ids=["update", "delete"])
def test_the_ledger_only_grows(change):
    cup = shop.product(3)
    rows = StockLedgerEntry.objects.filter(product__public_id=cup)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic("catalog"):
        rows.update(**change) if change else rows.delete()
    assert shop.ledger(cup) == [("received", 3, 0)]


def test_a_guarded_update_that_meets_other_numbers_undoes_the_batch():
    cup = shop.product(3)
    pk = Product.objects.get(public_id=cup).pk
    with pytest.raises(sql.StockMoved), transaction.atomic("catalog"):
        sql.add_reserved({pk: 4})
    with pytest.raises(sql.StockMoved), transaction.atomic("catalog"):
        sql.end_reserved({pk: 1}, sold=False)
    with pytest.raises(sql.StockMoved), transaction.atomic("catalog"):
        sql.add_on_hand({pk: -4})
    assert shop.levels(cup) == (3, 0)


class TestAudit:
    """Each kind of broken book is found, by the check of its name."""

    def broken(self, statement: str, cup) -> list[tuple[str, str]]:
        with connections["catalog"].cursor() as cursor:
            cursor.execute("SET LOCAL holdfast.maintenance = 'on'")
            cursor.execute(statement)
            cursor.execute("SET LOCAL holdfast.maintenance = 'off'")
        return [(one.check, one.subject) for one in facade.audit_stock()]

    @pytest.fixture
    def cup(self):
        cup = shop.product(10)
        facade.reserve_stock([shop.reserve((cup, 4))])
        shop.product(5)
        assert facade.audit_stock() == []
        return cup

    def test_a_lost_reservation(self, cup):
        found = self.broken("DELETE FROM catalog_reservation", cup)
        assert found == [("stock_reservations", str(cup))]

    def test_a_count_changed_behind_the_ledger(self, cup):
        found = self.broken("UPDATE catalog_stockitem SET on_hand = 9 WHERE on_hand = 10", cup)
        assert found == [("stock_ledger", str(cup))]

    def test_a_ledger_row_removed(self, cup):
        found = self.broken("DELETE FROM catalog_stockledgerentry WHERE kind = 'reserved'", cup)
        assert found == [("stock_ledger", str(cup))]

    def test_more_promised_than_there_is(self, cup):
        found = self.broken(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            "ALTER TABLE catalog_stockitem DROP CONSTRAINT stock_never_oversold;"
            "UPDATE catalog_stockitem SET on_hand = 3 WHERE on_hand = 10",
            cup,
        )
        assert found == [("stock_bounds", str(cup)), ("stock_ledger", str(cup))]

    def test_reservations_of_a_product_without_stock(self, cup):
        found = self.broken("DELETE FROM catalog_stockitem WHERE reserved > 0", cup)
        assert ("stock_item", str(cup)) in found
