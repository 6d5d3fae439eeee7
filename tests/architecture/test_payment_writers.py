"""Only ``apps/payments/ledger.py`` writes payments and their ledger, which has no foreign-key
check in the database: see docs/decisions/0017."""

import pytest

from tests.architecture.writers import ROOT, Scan

ROOM = ROOT / "apps" / "payments"
PAYMENTS = Scan(
    models=frozenset({"Payment", "PaymentEntry"}),
    tables="payments_payment(?:entry)?",
    columns=frozenset(),
    related=frozenset({"entries"}),
)


def test_only_the_payments_room_writes_payments():
    assert PAYMENTS.offenders(ROOM) == []


def test_inside_the_payments_room_one_module_writes():
    writers = {path.name for path in ROOM.rglob("*.py") if PAYMENTS.writes_in(path.read_text())}
    assert writers == {"ledger.py"}


@pytest.mark.parametrize(
    "offender",
    [
        'cursor.execute("INSERT INTO payments_paymententry (amount) VALUES (1)")',
        'cursor.execute("DELETE FROM payments_payment")',
        "PaymentEntry.objects.create(amount=1)",
        "payment.entries.create(amount=1)",
    ],
)
def test_the_scan_finds_a_planted_offender(offender):
    assert PAYMENTS.writes_in(f"def innocent():\n    {offender}\n") != []
