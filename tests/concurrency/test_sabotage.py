# ruff: noqa: F401, F811 - fixtures are imported by name
"""Every guard is needed: with it taken out of the code, a test that stands for it fails.

A row names the guard, the pieces of source or SQL it is made of (and what stands there without
it), the test, and what the test then complains about. The test itself runs, on the real databases
and gateway, with nothing changed but these words.
"""

import inspect
import sys
import textwrap
from dataclasses import dataclass
from typing import Any

import pytest

from apps.catalog import facade as catalog
from apps.catalog import services as product_services
from apps.catalog.feed import buffering
from apps.catalog.feed import sql as feed_sql
from apps.catalog.stock import hold_sql, reserving, sql
from apps.eventlog import archiving
from apps.messaging import idempotency, inbox
from apps.messaging.consuming.delivering import Delivery
from apps.orders.cart import services as cart_services
from apps.payments import services
from apps.payments.position import Position
from apps.reporting.projecting import applying, name_rows, order_rows
from apps.sagas.engine import leases, state, stepping, store
from tests.concurrency.catalog import test_stock_races as stock_races
from tests.concurrency.eventlog import test_append_order
from tests.concurrency.payments import test_races as payment_races
from tests.concurrency.reporting import test_two_consumers
from tests.concurrency.sagas import test_paused_holder, test_state_machine, test_two_engines
from tests.concurrency.sagas.test_paused_holder import late_answer
from tests.concurrency.sagas.test_state_machine import ready
from tests.concurrency.sagas.test_two_engines import meet
from tests.concurrency.sagas.test_two_engines import saga as saga_of_two_engines
from tests.integration.caching.write_behind.own_redis import own_redis
from tests.integration.catalog import test_holding, test_moving, test_reserving
from tests.integration.catalog.feed import test_direct_writes, test_flushing, test_redis_away
from tests.integration.catalog.feed import test_sending as feeds
from tests.integration.catalog.feed.conftest import own_buffer
from tests.integration.catalog.feed.test_redis_away import durable
from tests.integration.messaging.consuming import test_deliver
from tests.integration.messaging.consuming.conftest import _told, listener
from tests.integration.orders import test_cart_holds
from tests.integration.orders.test_cart_holds import ada
from tests.integration.payments import test_refunds
from tests.integration.reporting import test_projecting
from tests.integration.sagas import test_engine, test_engine_faults
from tests.integration.sagas.conftest import drive, recorder, saga, start
from tests.integration.sagas.test_engine_faults import during

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@dataclass(frozen=True)
class Words:
    """``text`` in the source of ``owner.name`` (a function, or a constant with SQL)."""

    owner: Any
    name: str
    text: str
    instead: str = ""

    def take_out(self, monkeypatch) -> None:
        target = getattr(self.owner, self.name)
        source = target if isinstance(target, str) else _source(target)
        assert self.text in source, f"{self.name} does not say {self.text!r} any more"
        without = source.replace(self.text, self.instead)
        if not isinstance(target, str):
            made: dict[str, Any] = {}
            exec(without, vars(sys.modules[target.__module__]), made)
            made[self.name].source, without = without, made[self.name]
        monkeypatch.setattr(self.owner, self.name, without)


def _source(function) -> str:
    if hasattr(function, "source"):  # words were taken out of it before
        return function.source
    return textwrap.dedent(inspect.getsource(function))


TOKEN = [
    Words(leases, "hold", "run.token == token and run.version == version", "True"),
    Words(store, "_save_runs", "AND run.lease_token = held.token"),
]
INBOX = Words(
    inbox,
    "admit",
    "ON CONFLICT DO NOTHING RETURNING",
    "ON CONFLICT (consumer, message_id) DO UPDATE SET request_hash = '' RETURNING",
)
FENCE = Words(
    inbox,
    "fence",
    "unnest(%s::text[]) AS message_id",
    "unnest(%s::text[]) AS message_id WHERE false",
)


def two_engines(saga_of_two_engines, meet):
    test_two_engines.test_two_engines_share_the_runs_and_do_each_step_once(
        saga_of_two_engines, meet
    )


GUARDS = {
    "a claim is locked": (
        [Words(leases, "_FAIR", "FOR UPDATE SKIP LOCKED", "/* SKIP LOCKED */")],
        two_engines,
        "assert",
    ),
    "a claim is due later": (
        [
            Words(
                leases,
                "_TAKE",
                "next_run_at = clock_timestamp() + make_interval(secs => %s)",
                "next_run_at = clock_timestamp() + make_interval(secs => 0 * %s)",
            )
        ],
        test_engine.test_a_claimed_run_is_nobody_elses_until_its_lease_ends,
        "assert",
    ),
    "a finisher's token": (
        TOKEN,
        test_paused_holder.test_a_thread_that_answers_past_its_lease_writes_nothing,
        "assert",
    ),
    "a finisher's token, in the engine": (
        TOKEN,
        test_state_machine.test_a_holder_that_took_too_long_writes_nothing,
        "done twice",
    ),
    "a held run's version": (
        [Words(leases, "hold", " and run.version == version")],
        test_engine_faults.test_a_checkpoint_whose_commit_was_not_heard_of_is_not_taken_back,
        "assert",
    ),
    "the inbox": (
        [INBOX],
        stock_races.TestTheSameKeyTwice().test_a_command_delivered_again_after_its_release_does_nothing,
        "assert",
    ),
    "the inbox, in the engine": (
        [INBOX],
        test_state_machine.test_a_step_whose_answer_was_lost_with_its_holder_has_its_effect_once,
        "done twice",
    ),
    "the fence": (
        [FENCE],
        test_reserving.test_a_release_before_its_reservation_fences_it_off,
        "assert",
    ),
    "the fence, in the engine": (
        [FENCE],
        test_state_machine.test_a_forward_step_that_comes_after_its_compensation_does_nothing,
        "compensated, but",
    ),
    "the inbox, of consumers": (
        [
            Words(
                inbox,
                "_ENTER",
                "ON CONFLICT DO NOTHING RETURNING",
                "ON CONFLICT (consumer, message_id) DO UPDATE SET request_hash = '' RETURNING",
            )
        ],
        test_deliver.test_a_repeat_has_no_effect_in_the_same_batch_or_later,
        "assert",
    ),
    "counting an attempt before it is made": (
        [
            Words(
                Delivery,
                "_one_by_one",
                "attempts = records.count(group.alias, group.name, message.id)",
                "attempts = 1",
            )
        ],
        test_deliver.test_an_attempt_that_ended_the_process_counts,
        "assert",
    ),
    "the lock of the event log": (
        [
            Words(
                archiving,
                "_LOCK",
                "pg_advisory_xact_lock(hashtextextended('eventlog.append', 0))",
                "1",
            )
        ],
        test_append_order.test_an_archive_that_dawdles_before_its_commit_is_not_overtaken,
        "assert",
    ),
    "the versions of the read model": (
        [
            Words(
                order_rows,
                "_PUT",
                "status = CASE WHEN t.status_version < excluded.status_version",
                "status = CASE WHEN true",
            ),
            Words(order_rows, "_PUT", "WHERE t.order_version <", "WHERE true OR t.order_version <"),
        ],
        test_projecting.test_an_older_state_that_comes_late_changes_nothing,
        "assert",
    ),
    "the versions of names in the read model": (
        [Words(name_rows, "put_customers", "WHERE t.version < excluded.version")],
        test_projecting.test_an_older_name_that_comes_late_changes_nothing,
        "assert",
    ),
    "the lock of the read model": (
        [Words(applying, "project", '"SELECT pg_advisory_xact_lock(%s)"', '"SELECT %s"')],
        test_two_consumers.test_an_order_sold_while_its_product_moves_is_counted_where_the_product_is,
        "assert",
    ),
    "the lock of the stock": (
        [Words(sql, "lock_items", "FOR UPDATE OF s")],
        stock_races.TestTheLastItems().test_forty_buyers_of_the_last_five_get_exactly_five,
        "StockMoved",
    ),
    "the guard of the stock": (
        [Words(sql, "add_reserved", "AND s.on_hand - s.reserved >= want.quantity")],
        test_moving.test_a_guarded_update_that_meets_other_numbers_undoes_the_batch,
        "stock",
    ),
    "a hold is its own order's": (
        [
            Words(
                reserving,
                "decide",
                "held.get(command.order_id, {}).items()",
                "[one for pieces in held.values() for one in pieces.items()]",
            )
        ],
        test_holding.test_in_one_batch_only_the_carts_own_order_has_its_pieces,
        "StockMoved",
    ),
    "a hold ends where its order begins": (
        [Words(hold_sql, "has_reserved", "AND expires_at IS NULL", "AND false")],
        test_holding.test_a_cart_that_has_become_an_order_holds_nothing_more,
        "StockMoved",
    ),
    "the last look of a cart's edit": (
        [Words(cart_services, "_hold", "if latest.version == cart.version:", "if True:")],
        test_cart_holds.test_an_edit_that_reaches_the_stock_late_does_not_undo_a_later_one,
        "assert",
    ),
    "the payment's lock": (
        [Words(services, "lock_payments", "FOR NO KEY UPDATE")],
        payment_races.test_a_capture_waits_for_a_reversal_that_is_being_decided,
        "DID NOT RAISE",
    ),
    "the intent before a call": (
        [Words(stepping.Stepper, "_begin", "if participant.prepare and going:", "if False:")],
        test_state_machine.test_a_step_whose_answer_was_lost_with_its_holder_has_its_effect_once,
        "before its intent",
    ),
    "the one key of a refund": (
        [Words(Position, "refund_key", "{refund_id}", "{__import__('uuid').uuid4()}")],
        test_refunds.test_a_lost_reply_is_repeated_with_the_same_key,
        "4.68",
    ),
    "the lock of an idempotency key": (
        [
            Words(
                idempotency,
                "_LOCK",
                "pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                "%s IS NOT NULL",
            )
        ],
        stock_races.TestTheSameKeyTwice().test_a_double_click_adjusts_once,
        "assert",
    ),
    "undoing what may have begun": (
        [
            Words(
                state,
                "turn",
                "run.position if run.may_have_begun else run.position - 1",
                "run.position - 1",
            )
        ],
        test_state_machine.test_a_step_whose_holder_died_is_undone_when_its_run_is_stopped,
        "compensated, but",
    ),
    "the version of an edit": (
        [
            Words(
                feed_sql,
                "WRITE",
                "new.epoch IS NULL OR (p.feed_epoch, p.feed_counter) < (new.epoch, new.counter)",
                "true",
            )
        ],
        test_flushing.test_an_older_batch_is_not_written_over_a_newer_one,
        "4.00",
    ),
    "the epoch of what was written while Redis was away": (
        [Words(buffering, "keep", "versions[0].epoch < epoch", "False")],
        test_redis_away.test_what_comes_after_the_silence_counts_in_every_process,
        "7.00",
    ),
    "the fence around an edit": (
        [
            Words(
                buffering,
                "keep",
                "with writing(DATABASE, [Key(PRODUCT, key) for key in wanted]):",
                "if True:",
            )
        ],
        feeds.test_a_price_is_seen_at_once_and_in_the_database_after_the_flush,
        "4.20",
    ),
    "writing what waits before a direct change": (
        [
            Words(
                product_services, "product_change", "draining.drain_rows(pks=[product_pk])", "True"
            )
        ],
        test_direct_writes.test_a_direct_change_comes_after_the_edits_that_waited,
        "DID NOT RAISE",
    ),
    "writing what waits before a sale": (
        [Words(catalog, "get_offers", "draining.drain(product_ids)", "")],
        test_direct_writes.test_an_offer_has_the_price_that_readers_were_shown,
        "4.20",
    ),
    "the pivot": (
        [Words(state, "must_turn", "run.position == saga.pivot and run.may_have_begun", "False")],
        test_state_machine.test_a_pivot_whose_holder_died_is_not_reversed_by_the_clock_or_a_person,
        "pivot",
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_it_its_test_fails(guard, request, monkeypatch):
    words, check, complaint = GUARDS[guard]
    fixtures = {name: request.getfixturevalue(name) for name in inspect.signature(check).parameters}
    for one in words:
        one.take_out(monkeypatch)
    with pytest.raises((Exception, pytest.fail.Exception)) as failure:
        check(**fixtures)
    assert complaint in f"{failure.type.__name__} {failure.value!r} {failure.value}"
