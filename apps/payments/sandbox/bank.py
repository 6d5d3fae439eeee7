"""The acquirer's rules: what each request does to the record and what it is told."""

import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import parse_qs

from apps.payments.sandbox.cards import AUTHORIZATION, CAPTURE, REFUND, VOID, Fault, card
from apps.payments.sandbox.record import Record

OPERATIONS = {"captures": CAPTURE, "voids": VOID, "refunds": REFUND}
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,2}))?")
CURRENCY = re.compile(r"[A-Z]{3}")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_PAGE = 1000
NUMBER = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str = ""
    key: str = ""
    body: bytes = b""


class Then(Enum):
    """What becomes of the connection."""

    ANSWER = "answer"
    HANG = "hang"
    DROP = "drop"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    then: Then = Then.ANSWER


class Refused(Exception):
    """The request has no effect; ``status`` and ``code`` say why."""

    def __init__(self, status: int, code: str, detail: str = ""):
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail


def as_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def error(status: int, code: str, detail: str = "") -> Reply:
    return Reply(status, as_json({"error": {"code": code, "detail": detail}}))


def _money(hundredths: int, currency: str) -> dict[str, str]:
    return {"amount": f"{hundredths // 100}.{hundredths % 100:02}", "currency": currency}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": f"pay_{row['number']}",
        "reference": row["reference"],
        "status": row["status"],
        "code": row["code"],
        "authorized": _money(row["authorized"], row["currency"]),
        "captured": _money(row["captured"], row["currency"]),
        "refunded": _money(row["refunded"], row["currency"]),
        "captures": row["captures"],
        "created_at": row["created_at"],
    }


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused(400, "invalid_json") from None
    if not isinstance(data, dict):
        raise Refused(400, "invalid_json", "an object is expected")
    return data


def _amount(data: Any) -> tuple[int, str]:
    """``{"amount": "12.34", "currency": "GBP"}`` as hundredths and currency."""
    if not isinstance(data, dict):
        raise Refused(400, "invalid_amount")
    match = AMOUNT.fullmatch(str(data.get("amount")))
    currency = str(data.get("currency"))
    if not match or not CURRENCY.fullmatch(currency):
        raise Refused(400, "invalid_amount")
    hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))
    if hundredths <= 0:
        raise Refused(400, "invalid_amount", "an amount is positive")
    return hundredths, currency


class Bank:
    """Answers requests; the caller wraps each batch of them in a transaction of ``record``."""

    def __init__(self, record: Record):
        self.record = record

    def handle(self, request: Request) -> Reply:
        """The reply to ``request``, its effects applied."""
        try:
            if request.method == "POST":
                return self._post(request)
            if request.method == "GET":
                return self._get(request)
            raise Refused(405, "method_not_allowed")
        except Refused as refused:
            return error(refused.status, refused.code, refused.detail)

    # --- reading -------------------------------------------------------------------------------

    def _get(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if parts == ["v1", "payments"]:
            return self._page(request.query)
        if len(parts) == 3 and parts[:2] == ["v1", "payments"]:
            row = self.record.payment(parts[2])
            if row is None:
                self._land(parts[2])
                raise Refused(404, "not_found")
            return Reply(200, as_json(_shown(row)))
        raise Refused(404, "not_found")

    def _page(self, query: str) -> Reply:
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        after, limit = given.get("after", "0"), given.get("limit", "100")
        if not (NUMBER.fullmatch(after) and NUMBER.fullmatch(limit)):
            raise Refused(400, "invalid_page", "after and limit are numbers")
        limit = max(1, min(int(limit), MAX_PAGE))
        rows = self.record.payments(int(after), limit + 1)
        more = len(rows) > limit
        page = rows[:limit]
        return Reply(
            200,
            as_json(
                {
                    "payments": [_shown(row) for row in page],
                    "next": page[-1]["number"] if more else None,
                }
            ),
        )

    # --- moving money --------------------------------------------------------------------------

    def _post(self, request: Request) -> Reply:
        if not request.key or len(request.key) > 255:
            raise Refused(400, "idempotency_key_required")
        operation, reference, data = self._target(request)
        digest = hashlib.sha256(f"{request.path}\n".encode() + request.body).hexdigest()
        known = self.record.answer(request.key)
        if known is not None and known["request"] != digest:
            raise Refused(422, "idempotency_key_reused")
        fault = self._fault(operation, reference, data)
        if fault is not None and not fault.has_effect:
            if fault is Fault.HANG_LATE and known is None:
                self.record.keep_late(reference, as_json([request.key, digest, data]))
            return self._faulty(fault)
        if known is None:
            reply = self._effect(operation, reference, data)
            if reply.status in (201, 402):  # what is refused is looked at anew each time
                self.record.add_answer(request.key, digest, reply.status, reply.body)
        else:
            reply = Reply(known["status"], known["body"])
        return reply if fault is None else self._faulty(fault)

    def _target(self, request: Request) -> tuple[str, str, dict[str, Any]]:
        data = _parsed(request.body)
        parts = request.path.strip("/").split("/")
        if parts == ["v1", "authorizations"]:
            reference = str(data.get("reference"))
            if not NAME.fullmatch(reference):
                raise Refused(400, "invalid_reference")
            if not NAME.fullmatch(str(data.get("card_token"))):
                raise Refused(400, "invalid_card_token")
            return AUTHORIZATION, reference, data
        if len(parts) == 4 and parts[:2] == ["v1", "payments"] and parts[3] in OPERATIONS:
            return OPERATIONS[parts[3]], parts[2], data
        raise Refused(404, "not_found")

    def _fault(self, operation: str, reference: str, data: dict[str, Any]) -> Fault | None:
        if operation == AUTHORIZATION:
            token = str(data.get("card_token"))
        else:
            row = self.record.payment(reference)
            token = row["card_token"] if row else ""
        of_card = card(token)
        fault = of_card.faults.get(operation)
        if fault is None or self.record.count_attempt(reference, operation) > of_card.times:
            return None
        return fault

    @staticmethod
    def _faulty(fault: Fault) -> Reply:
        if fault in (Fault.ERROR_BEFORE, Fault.ERROR_AFTER):
            return error(500, "internal_error")
        drop = fault in (Fault.DROP_BEFORE, Fault.DROP_AFTER)
        return Reply(0, b"", Then.DROP if drop else Then.HANG)

    def _effect(self, operation: str, reference: str, data: dict[str, Any]) -> Reply:
        if operation == AUTHORIZATION:
            return self._authorize(reference, data)
        row = self.record.payment(reference)
        if row is None:
            raise Refused(404, "not_found")
        move = {CAPTURE: self._capture, VOID: self._void, REFUND: self._refund}[operation]
        return move(row, data)

    def _authorize(self, reference: str, data: dict[str, Any]) -> Reply:
        amount, currency = _amount(data.get("amount"))
        token = str(data.get("card_token"))
        if self.record.payment(reference) is not None:
            raise Refused(409, "reference_taken")
        self.record.take_late(reference)
        of_card = card(token)
        code = of_card.declines.get(AUTHORIZATION, "")
        if not code and of_card.limit is not None and amount > of_card.limit:
            code = "limit_exceeded"
        if code:
            self.record.add_payment(reference, token, currency, 0, "declined", code)
            return error(402, code, "The card was declined.")
        self.record.add_payment(reference, token, currency, amount, "authorized")
        return self._done(reference)

    def _land(self, reference: str) -> None:
        """A late authorization arrives after all."""
        body = self.record.take_late(reference)
        if body is not None:
            key, digest, data = json.loads(body)
            reply = self._authorize(reference, data)
            self.record.add_answer(key, digest, reply.status, reply.body)

    def _capture(self, row: sqlite3.Row, data: dict[str, Any]) -> Reply:
        if row["status"] != "authorized":
            raise Refused(409, _why_not(row))
        code = card(row["card_token"]).declines.get(CAPTURE)
        if code:
            return error(402, code, "The capture was declined.")
        amount = self._part(row, data, row["authorized"])
        self.record.change_payment(
            row["reference"], status="captured", captured=amount, captures=row["captures"] + 1
        )
        return self._done(row["reference"])

    def _void(self, row: sqlite3.Row, data: dict[str, Any]) -> Reply:
        if row["status"] != "authorized":
            raise Refused(409, _why_not(row))
        self.record.change_payment(row["reference"], status="voided")
        return self._done(row["reference"])

    def _refund(self, row: sqlite3.Row, data: dict[str, Any]) -> Reply:
        if row["status"] not in ("captured", "partially_refunded"):
            raise Refused(409, _why_not(row))
        refunded = row["refunded"] + self._part(row, data, row["captured"] - row["refunded"])
        self.record.change_payment(
            row["reference"],
            status="refunded" if refunded == row["captured"] else "partially_refunded",
            refunded=refunded,
        )
        return self._done(row["reference"])

    @staticmethod
    def _part(row: sqlite3.Row, data: dict[str, Any], most: int) -> int:
        """The amount asked for, else all there is; never more than that."""
        if "amount" not in data:
            return most
        amount, currency = _amount(data["amount"])
        if currency != row["currency"]:
            raise Refused(400, "currency_mismatch")
        if amount > most:
            raise Refused(409, "amount_too_large")
        return amount

    def _done(self, reference: str) -> Reply:
        row = self.record.payment(reference)
        return Reply(201, as_json(_shown(row)))


def _why_not(row: sqlite3.Row) -> str:
    return {"authorized": "not_captured"}.get(row["status"], f"payment_{row['status']}")
