"""What the tests of payments do over and over, in the three phases the saga engine uses."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from moneyed import Money

from apps.common.ids import new_id
from apps.payments import facade
from apps.payments.contracts import (
    MoneyState,
    OpenPayment,
    Operation,
    PaymentResult,
    RefundPayment,
)


def open_payment(card_token: str = "tok_approve", amount: str = "12.34") -> UUID:
    """A new order's payment."""
    [order_id] = open_payments([card_token], amount)
    return order_id


def open_payments(card_tokens: Sequence[str], amount: str = "12.34") -> list[UUID]:
    """New orders' payments, one per card."""
    order_ids = [new_id() for _ in card_tokens]
    with transaction.atomic(using="orders"):
        facade.open_payments(
            [
                OpenPayment(order_id, Money(amount, "GBP"), token)
                for order_id, token in zip(order_ids, card_tokens, strict=True)
            ]
        )
    return order_ids


def open_on_account(count: int = 1, amount: str = "12.34") -> list[UUID]:
    """New orders' payments on account."""
    order_ids = [new_id() for _ in range(count)]
    with transaction.atomic(using="orders"):
        facade.open_payments(
            [OpenPayment(one, Money(amount, "GBP"), "", "account") for one in order_ids]
        )
    return order_ids


def prepare(operation: Operation, *order_ids: UUID) -> None:
    with transaction.atomic(using="orders"):
        facade.prepare(operation, order_ids)


def record(operation: Operation, results: Sequence[PaymentResult]) -> None:
    with transaction.atomic(using="orders"):
        facade.record(operation, results)


def operate(operation: Operation, *order_ids: UUID) -> list[PaymentResult]:
    """All three phases."""
    prepare(operation, *order_ids)
    results = facade.perform(operation, order_ids)
    record(operation, results)
    return results


def refund(order_id: UUID, refund_id: UUID, amount: str) -> RefundPayment:
    return RefundPayment(order_id, refund_id, Money(amount, "GBP"))


def prepare_refunds(*refunds: RefundPayment) -> None:
    with transaction.atomic(using="orders"):
        facade.prepare_refunds(refunds)


def record_refunds(
    refunds: Sequence[RefundPayment], results: Sequence[PaymentResult]
) -> dict[UUID, MoneyState]:
    with transaction.atomic(using="orders"):
        return facade.record_refunds(refunds, results)


def give_back(*refunds: RefundPayment) -> list[PaymentResult]:
    """All three phases."""
    prepare_refunds(*refunds)
    results = facade.perform_refunds(refunds)
    record_refunds(refunds, results)
    return results


def brief(result: PaymentResult) -> str:
    """``status state code`` of a result."""
    return f"{result.status} {result.state} {result.code}".strip()


def book(order_id: UUID) -> list[str]:
    """The ledger of an order as ``operation state code``, in order."""
    return [f"{one.operation} {one.state} {one.code}".strip() for one in facade.ledger(order_id)]


def settled_alone(order_ids: Sequence[UUID]) -> set[UUID]:
    """For ``facade.audit``: nobody works on any order."""
    return set(order_ids)
