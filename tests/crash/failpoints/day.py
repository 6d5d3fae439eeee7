"""A shop's day in small: every way an order can take, each step safe to repeat.

Whoever finds the day half done begins it anew and ends with the same books.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.db import transaction
from django.test import override_settings
from moneyed import Money

from apps.caching import write_behind
from apps.catalog import facade as catalog
from apps.catalog import stock
from apps.catalog.contracts import FeedForm, HoldStock, SendFeed, StockLine
from apps.catalog.engagement.counting import notes_count
from apps.catalog.engagement.models import SaleNote
from apps.catalog.engagement.reading import insights
from apps.catalog.engagement.sales import handle
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import Product
from apps.common.databases import execute, fetch_all
from apps.messaging.relay import queue
from apps.messaging.relay.process import empty
from apps.notifications.mailer import send_due
from apps.notifications.models import Email
from apps.notifications.services import preference_change
from apps.orders import facade as orders
from apps.orders.contracts import (
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    ReturnItems,
    ReturnLine,
    ShipOrder,
)
from apps.orders.models import Order
from apps.orders.reconciling import reconcile_money
from apps.payments import facade as payments
from apps.payments.client import gateway
from apps.payments.contracts import MoneyState, OpenPayment, Operation
from apps.payments.models import MoneyDiscrepancy
from apps.sagas import definition
from apps.sagas import facade as sagas
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step
from apps.sagas.engine.driver import drive_batch
from apps.sagas.retry import RetryPolicy
from tests.crash.failpoints.letters import Mishap
from tests.integration.catalog.engagement.orders import Sale, received
from tests.integration.notifications.post import Post, told
from tests.pump import settle
from tests.trade import Trade, axes

REVIEW_ABOVE = 90  # ten mugs
BY_EVENTS = ("carried", "stopped")  # orders without an engine
AT_ONCE = RetryPolicy(base=0.0)


def stumble(calls):
    """Raises the first time it is asked."""
    if any(call.attempt == 1 for call in calls):
        raise ValueError("stumbled")
    return [Outcome.success() for _ in calls]


def dawdle(calls):
    """Runs past its time for more than one."""
    if len(calls) > 1:
        threading.Event().wait(5)
    return [Outcome.success() for _ in calls]


def saga(kind: str, execute) -> Saga:
    step = Step("walk", Participant(execute, local=True), retry=AT_ONCE, start_to_close=0.05)
    return Saga(kind, 1, (step,))


STUMBLING, DAWDLING = saga("stumbling", stumble), saga("dawdling", dawdle)
FORGOTTEN = saga("forgotten", stumble)


# Two that dawdle: together they are late.
ODD = (STUMBLING, FORGOTTEN, DAWDLING, DAWDLING)


@dataclass
class Day:
    """One day's orders on products of its own; ``name`` makes its keys."""

    name: str
    trade: Trade = field(init=False)
    ids: dict[str, UUID] = field(default_factory=dict)

    def __post_init__(self):
        self.mug, self.cup = f"MUG-{self.name}", f"CUP-{self.name}"
        self.trade = Trade(skus=(self.mug, self.cup))
        self.mishap = Mishap(self.name)
        self.stray = uuid5(NAMESPACE_URL, f"{self.name} stray")
        self.unknown = uuid5(NAMESPACE_URL, f"{self.name} unknown")
        self.odd_keys = [f"{self.name}-{number}" for number, _ in enumerate(ODD)]

    def live(self) -> None:
        """The whole day, from wherever it stands."""
        self.place()
        forgotten = self.start_odd_runs()
        self.drive(but=("held", *BY_EVENTS))
        self.repair(forgotten)
        orders.approve_order(ApproveOrder(self.ids["held"]))
        self.cancel("regretted")
        self.send("sent")
        self.drive(but=BY_EVENTS)
        self.take_back("sent")
        self.drive(but=BY_EVENTS)
        self.carry()
        self.expire()
        self.reconcile()
        self.tell()
        self.feed()
        self.count()
        self.write()
        self.mishap.live()

    def place(self) -> None:
        for name, quantities, card in (
            ("good", {self.mug: 2}, "tok_approve"),
            ("short", {self.mug: 1, self.cup: 101}, "tok_approve"),
            ("declined", {self.mug: 1}, "tok_decline"),
            ("lost", {self.mug: 1}, "tok_drop_after"),
            ("no_capture", {self.mug: 1}, "tok_capture_decline"),
            ("regretted", {self.mug: 1}, "tok_approve"),
            ("sent", {self.mug: 3}, "tok_approve"),
            ("held", {self.mug: 10}, "tok_approve"),
            ("carried", {self.mug: 1}, "tok_approve"),
            ("stopped", {self.mug: 10}, "tok_approve"),
        ):
            style = "choreographed" if name in BY_EVENTS else "orchestrated"
            with override_settings(CHECKOUT_COORDINATION=style):
                key = f"{self.name}-{name}"
                self.ids[name] = self.trade.place(key=key, card=card, **quantities).order_id

    def carry(self) -> None:
        """Two are carried on by events: one to its end, one until a person who should approve it
        cancels it."""
        stopped = self.ids["stopped"]
        self.settle(lambda: axes(stopped)[1] != "not_paid" and not self.live_runs(("stopped",)))
        self.cancel("stopped")
        self.settle(lambda: not self.live_runs(()))

    def settle(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 25
        while not done():
            assert time.monotonic() < end, self.live_runs(())
            settle()
            time.sleep(0.01)  # until a lease or a wait ends, by the database's clock

    def start_odd_runs(self) -> UUID:
        """Runs that raise, run late together, or that nobody knows: the last one's id."""
        for one in ODD:
            definition.register(one)
        with transaction.atomic(using="orders"):
            runs = [
                sagas.start(kind=one.kind, version=1, business_key=key)
                for one, key in zip(ODD, self.odd_keys, strict=True)
            ]
        definition._registry.pop((FORGOTTEN.kind, 1))
        return runs[ODD.index(FORGOTTEN)]

    def repair(self, forgotten: UUID) -> None:
        """Its definition is known again, and a person sends it on."""
        definition.register(FORGOTTEN)
        if sagas.run_status(forgotten) == "failed":
            sagas.retry_run(forgotten, None, "it is known again")

    def cancel(self, name: str) -> None:
        principal, key = f"customer:{self.trade.customer_id}", f"{self.name}-cancel-{name}"
        orders.cancel_order(CancelOrder(principal, key, self.ids[name], "changed_mind"))

    def send(self, name: str) -> None:
        order_id = self.ids[name]
        if orders.get_order(order_id).status == "confirmed":
            orders.ship_order(ShipOrder(order_id))
        orders.deliver_order(DeliverOrder(order_id))

    def take_back(self, name: str) -> None:
        """Two of three pieces come back, one of them to be sold again."""
        lines = (ReturnLine(1, 1), ReturnLine(1, 1, restock=False))
        key = f"{self.name}-return"
        orders.return_items(ReturnItems("staff:1", key, self.ids[name], "too big", lines))

    def expire(self) -> None:
        """A cart's hold whose time is over."""
        cart = uuid5(NAMESPACE_URL, self.name)
        line = StockLine(self.trade.products[self.cup], 4)
        catalog.hold_stock(HoldStock(cart, (line,), 60.0))
        execute(
            "catalog",
            "UPDATE catalog_reservation SET expires_at = now() - interval '1 minute'"
            " WHERE order_id = %s AND status = 'live'",
            [cart],
        )
        stock.expire_holds(most=10)

    def reconcile(self) -> None:
        """Money is held for an order that never was, and for somebody unknown."""
        stray, amount = self.stray, Money("1.00", "GBP")
        if not payments.money_states([stray]):
            with transaction.atomic(using="orders"):
                payments.open_payments([OpenPayment(stray, amount, "tok_approve")])
        with transaction.atomic(using="orders"):
            payments.prepare(Operation.AUTHORIZE, [stray])
        results = payments.perform(Operation.AUTHORIZE, [stray])
        with transaction.atomic(using="orders"):
            payments.record(Operation.AUTHORIZE, results)
        gateway().authorize(self.unknown, amount, "tok_approve", str(self.unknown))
        reconcile_money()

    def feed(self) -> None:
        """A supplier's prices and a count, kept and then written; what a process that died had in
        its hands is written once its lease ends."""
        body = f'{{"sku":"{self.mug}","price":{{"amount":"8.50","currency":"GBP"}}}}\n' + (
            f'{{"sku":"{self.cup}","stock":{{"on_hand":100}}}}'
        )
        catalog.send_feed(
            SendFeed(f"{self.name}-feed", "staff:1", FeedForm.NDJSON, body.encode(), counts=True)
        )
        end = time.monotonic() + 25
        while write_behind.backlog(PRODUCTS).keys:
            assert time.monotonic() < end
            if not write_behind.flush_now(PRODUCTS):
                time.sleep(0.01)

    def tell(self) -> None:
        """The events of all databases are published, whoever has left the leases."""
        end = time.monotonic() + 25
        while any(queue.backlog(alias).waiting for alias in settings.DATABASES):
            assert time.monotonic() < end
            if not empty():
                time.sleep(0.01)  # until a lease ends, by the database's clock

    def count(self) -> None:
        """What the good order sold is noted and counted among the best-sellers."""
        sale = Sale({self.trade.products[self.mug]: 2}, order_id=self.ids["good"])
        with transaction.atomic(using="catalog"):
            handle([received(one) for one in sale.sold()])
        end = time.monotonic() + 25
        while SaleNote.objects.filter(key=f"{self.ids['good']}:sold").exists():
            assert time.monotonic() < end
            if not notes_count():
                time.sleep(0.01)  # until the database sees that a counter's session is dead

    def write(self) -> None:
        """A mail that welcomes somebody, who wants no others."""
        event_id = uuid5(NAMESPACE_URL, f"{self.name} welcome")
        preference_change(customer_id=event_id, wanted={"order_shipped": False})
        told(Post(customer_id=event_id).created(event_id=event_id))
        end = time.monotonic() + 10
        while self.mail_state() != "sent":
            assert time.monotonic() < end, self.mail_state()
            if not send_due():
                time.sleep(0.01)  # until the lease of who died ends

    def mail_state(self) -> str:
        event_id = uuid5(NAMESPACE_URL, f"{self.name} welcome")
        return Email.objects.values_list("state", flat=True).get(event_id=event_id)

    def drive(self, *, but: Sequence[str] = ()) -> None:
        """Drives until every run of this day has ended, but those of some orders."""
        end = time.monotonic() + 25
        while live := self.live_runs(but):
            assert time.monotonic() < end, live
            if not drive_batch():
                time.sleep(0.01)  # until a lease or a wait ends, by the database's clock

    def live_runs(self, but: Sequence[str]) -> list[tuple]:
        order_ids = [order_id for name, order_id in self.ids.items() if name not in but]
        return fetch_all(
            "orders",
            "SELECT kind, business_key, status, step, claims, error_detail FROM sagas_sagarun"
            " WHERE finished_at IS NULL AND (business_key = ANY(%s) OR business_key = ANY("
            "SELECT id::text FROM orders_orderreturn WHERE order_id = ANY(%s)))",
            [[*self.odd_keys, *map(str, order_ids)], order_ids],
        )

    def books(self) -> dict:
        """What must be the same whoever died on the way."""
        rows = Order.objects.filter(lines__sku__in=(self.mug, self.cup)).distinct()
        runs = "SELECT status FROM sagas_sagarun WHERE business_key = ANY(%s)"
        return {
            "orders": {name: axes(order_id) for name, order_id in self.ids.items()},
            "placed": rows.count(),
            "stock": self.trade.levels(),
            "stray": payments.money_states([self.stray]),
            "unknown": list(
                MoneyDiscrepancy.objects.filter(reference=str(self.unknown)).values_list(
                    "kind", flat=True
                )
            ),
            "mail": self.mail_state(),
            "sold": insights(self.trade.products[self.mug]).sold_today,
            "fed": str(Product.objects.get(sku=self.mug).price.amount),
            "mishap": self.mishap.books(),
            "odd": [status for (status,) in fetch_all("orders", runs, [self.odd_keys])],
        }

    def right_books(self) -> dict:
        confirmed, kept_nothing = ("confirmed", "captured", "scheduled"), "not_fulfilled"
        return {
            "orders": {
                "good": confirmed,
                "short": ("cancelled", "voided", kept_nothing),
                "declined": ("cancelled", "declined", kept_nothing),
                "lost": confirmed,
                "no_capture": ("cancelled", "voided", "cancelled"),
                "regretted": ("cancelled", "refunded", "cancelled"),
                "sent": ("delivered", "partially_refunded", "delivered"),
                "held": confirmed,
                "carried": confirmed,
                "stopped": ("cancelled", "voided", kept_nothing),
            },
            "placed": 10,
            "stock": {self.mug: (98, 14), self.cup: (100, 0)},
            "stray": {self.stray: MoneyState.VOIDED},
            "unknown": ["unknown_authorization"],
            "mail": "sent",
            "sold": 2,
            "fed": "8.50",
            "mishap": {"applied": 3, "dead": 0},
            "odd": ["completed"] * len(ODD),
        }
