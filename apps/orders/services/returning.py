"""Commands on returns: take goods back, refund, ask, approve, refuse, import. Each is one
transaction; what may come back is decided under the lock of the order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from moneyed import Money

from apps.common.correlation import current_request_id
from apps.common.databases import fetch_all
from apps.common.errors import InvalidInput
from apps.common.failpoints import failpoint
from apps.common.ids import new_id
from apps.messaging.idempotency import once
from apps.messaging.staff_log import staff_change
from apps.orders.contracts import (
    ApproveReturn,
    ImportReturn,
    RefuseReturn,
    RequestReturn,
    ReturnAccepted,
    ReturnItems,
    ReturnLine,
)
from apps.orders.enums import DATABASE, ReturnStatus
from apps.orders.errors import (
    OrderNotFound,
    ReturnDecided,
    ReturnNotFound,
    changed_meanwhile,
)
from apps.orders.locks import orders_locked
from apps.orders.models import OrderReturn, OrderReturnLine
from apps.orders.services import return_moves
from apps.orders.services.return_moves import NewReturn
from apps.orders.services.return_rules import take
from apps.orders.timeline import SUBJECT
from apps.orders.workflows.returning import start_return

LONGEST_REASON = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants back; ``starts`` says whether it is carried out at once."""

    order_id: UUID
    reason: str
    asked_by: str
    lines: tuple[ReturnLine, ...]
    starts: bool
    amount: Money | None = None
    version: int | None = None
    customer_id: UUID | None = None
    external_reference: str | None = None
    correlation_id: str = ""


def return_take(command: ReturnItems) -> ReturnAccepted:
    """Staff take goods back, or refund an amount without goods: the return saga begins.

    Raises ``OrderNotFound``, ``NotReturnable`` unless the order was shipped, ``VersionConflict``
    for a stale ``version``, ``InvalidInput`` naming the line or ``amount.amount`` for more than is
    left, ``KeyReused`` for a key used otherwise.
    """
    wish = Wish(
        command.order_id,
        _reason(command.reason),
        command.principal,
        command.lines,
        starts=True,
        amount=command.amount,
        version=command.version,
        correlation_id=command.correlation_id or current_request_id(),
    )
    request = ("return", wish.order_id, wish.lines, wish.amount, wish.reason, wish.version)
    return _once(command, request, lambda: _noted(wish, *_write([wish])))


def return_request(command: RequestReturn) -> ReturnAccepted:
    """A customer asks to send goods back. Errors as in ``return_take``; somebody else's order is
    as good as none."""
    wish = Wish(
        command.order_id,
        _reason(command.reason),
        command.principal,
        command.lines,
        starts=False,
        customer_id=command.customer_id,
        correlation_id=command.correlation_id or current_request_id(),
    )
    request = ("request_return", wish.order_id, wish.lines, wish.reason)
    return _once(command, request, lambda: _write([wish])[0])


def return_approve(command: ApproveReturn) -> ReturnAccepted:
    """Takes back what was asked for: the return saga begins. One under way or completed stays so
    (success). Raises ``ReturnNotFound``, ``VersionConflict``, ``ReturnDecided``, ``InvalidInput``
    for a damaged position that does not come back, ``KeyReused``.
    """
    request = ("approve_return", command.return_id, command.damaged, command.version)
    return _once(command, request, lambda: _approve(command))


def return_refuse(command: RefuseReturn) -> ReturnAccepted:
    """Does not take back what was asked for. A refused one stays refused (success). Raises
    ``ReturnNotFound``, ``VersionConflict``, ``ReturnDecided``."""
    reason = _reason(command.reason)
    with transaction.atomic(using=DATABASE):
        answer = _refuse(command, reason)
        failpoint("order.return.before_commit")
    failpoint("order.return.after_commit")
    return answer


def returns_import(commands: Sequence[ImportReturn]) -> list[ReturnAccepted]:
    """Takes down returns as another system took them, all in one transaction; those whose
    ``external_reference`` is known are left out of the answer. Errors as in ``return_take``:
    nothing was imported then."""
    with transaction.atomic(using=DATABASE):
        orders_locked({one.order_id for one in commands})  # two importers: one sees the other's
        known = _known([one.external_reference for one in commands])
        answers = _write(
            [
                Wish(
                    one.order_id,
                    _reason(one.reason),
                    "import",
                    one.lines,
                    starts=True,
                    external_reference=one.external_reference,
                )
                for one in commands
                if one.external_reference not in known
            ]
        )
        failpoint("order.return.before_commit")
    failpoint("order.return.after_commit")
    return answers


def _once(
    command: ReturnItems | RequestReturn | ApproveReturn,
    request: tuple,
    run: Callable[[], ReturnAccepted],
) -> ReturnAccepted:
    with transaction.atomic(using=DATABASE):
        answer = once(DATABASE, command.principal, command.key, request, ReturnAccepted, run)
        failpoint("order.return.before_commit")
    failpoint("order.return.after_commit")
    return answer


def _write(wishes: Sequence[Wish]) -> list[ReturnAccepted]:
    """Decides the wishes in their order, each against what the earlier ones left, and writes."""
    orders = orders_locked({wish.order_id for wish in wishes})
    books = return_moves.read_books(orders)
    new = []
    for wish in wishes:
        order = orders.get(wish.order_id)
        if order is None or wish.customer_id not in (None, order.customer_id):
            raise OrderNotFound()
        if wish.version not in (None, order.version):
            raise changed_meanwhile(order.version)
        taken = take(books[order.pk], wish.lines, wish.amount)
        return_id = new_id()
        run = None
        if wish.starts:
            run = start_return(
                return_id,
                order_id=order.pk,
                amount=Money(taken.amount, order.currency),
                lines=len(taken.pieces),
                correlation_id=wish.correlation_id,
            )
        status = ReturnStatus.IN_PROGRESS if wish.starts else ReturnStatus.REQUESTED
        reference = wish.external_reference
        new.append(
            NewReturn(
                return_id, order.pk, status, wish.reason, taken, wish.asked_by, reference, run
            )
        )
    if new:
        return_moves.returns_insert(new)
    return [
        ReturnAccepted(
            one.return_id,
            one.order_id,
            one.status.value,
            1,
            Money(one.taken.amount, orders[one.order_id].currency),
            one.saga_id,
        )
        for one in new
    ]


def _approve(command: ApproveReturn) -> ReturnAccepted:
    one = _locked(command.return_id)
    if one.status in (ReturnStatus.IN_PROGRESS, ReturnStatus.COMPLETED):
        return _answer(one)
    _check(one, command.version)
    lines = OrderReturnLine.objects.filter(order_return=one)
    known = set(lines.values_list("order_line__position", flat=True))
    if strange := set(command.damaged) - known:
        text = f"No piece of line {min(strange)} comes back."
        raise InvalidInput.field("damaged", "unknown_line", text)
    lines.filter(order_line__position__in=command.damaged).update(restock=False)
    one.saga_id = start_return(
        one.id,
        order_id=one.order_id,
        amount=Money(one.amount, one.order.currency),
        lines=len(known),
        correlation_id=command.correlation_id or current_request_id(),
    )
    one.status, one.version = ReturnStatus.IN_PROGRESS, one.version + 1
    one.save(update_fields=["status", "version", "saga_id"])
    _note_decision(one, "approve_return", refund=f"{one.amount} {one.order.currency}")
    return _answer(one)


def _refuse(command: RefuseReturn, reason: str) -> ReturnAccepted:
    one = _locked(command.return_id)
    if one.status == ReturnStatus.REFUSED:
        return _answer(one)
    _check(one, command.version)
    moved = return_moves.returns_refuse({one.id: reason}, before=ReturnStatus.REQUESTED)
    one.status, one.version = ReturnStatus.REFUSED, moved[one.id]
    _note_decision(one, "refuse_return", reason=reason)
    return _answer(one)


def _locked(return_id: UUID) -> OrderReturn:
    """The return with its order, both locked: the order first, as everywhere."""
    order_id = OrderReturn.objects.filter(pk=return_id).values_list("order_id", flat=True).first()
    orders = orders_locked([order_id]) if order_id else {}
    if not orders:
        raise ReturnNotFound()
    one = OrderReturn.objects.select_for_update().get(pk=return_id)
    one.order = orders[order_id]
    return one


def _check(one: OrderReturn, version: int | None) -> None:
    if version not in (None, one.version):
        raise changed_meanwhile(one.version, "return")
    if one.status != ReturnStatus.REQUESTED:
        raise ReturnDecided(f"it is {one.status}", status_now=str(one.status))


def _answer(one: OrderReturn) -> ReturnAccepted:
    amount = Money(one.amount, one.order.currency)
    return ReturnAccepted(one.id, one.order_id, str(one.status), one.version, amount, one.saga_id)


def _reason(text: str) -> str:
    text = text.strip()
    if not text:
        raise InvalidInput.field("reason", "blank", "Say why.")
    if len(text) > LONGEST_REASON:
        raise InvalidInput.field("reason", "max_length", f"At most {LONGEST_REASON} characters.")
    return text


def _noted(wish: Wish, answer: ReturnAccepted) -> ReturnAccepted:
    pieces = sum(line.quantity for line in wish.lines)
    after = {"refund": f"{answer.amount.amount} {answer.amount.currency}", "reason": wish.reason}
    if pieces:
        after["pieces"] = pieces
    _note(wish.order_id, "return_items" if pieces else "refund", {}, after)
    return answer


def _note_decision(one: OrderReturn, action: str, **after: str) -> None:
    before = {"return_status": str(ReturnStatus.REQUESTED)}
    _note(one.order_id, action, before, {"return_status": str(one.status), **after})


def _note(order_id: UUID, action: str, before: dict, after: dict) -> None:
    """The staff log's line, under the order."""
    words = {"subject": SUBJECT, "subject_id": order_id, "action": action}
    staff_change(DATABASE, **words, before=before, after=after)


def _known(references: Sequence[str]) -> set[str]:
    return {
        row[0]
        for row in fetch_all(
            DATABASE,
            "SELECT external_reference FROM orders_orderreturn WHERE external_reference = ANY(%s)",
            [list(references)],
        )
    }
