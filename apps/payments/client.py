"""The gateway behind HTTP: the sandbox's protocol (see ``apps.payments.sandbox``)."""

import os
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
import urllib3
from django.conf import settings
from moneyed import Money
from urllib3 import exceptions

from apps.common.breaker import Breaker, BreakerOpen
from apps.common.failpoints import failpoint
from apps.payments.contracts import GatewayRecord, MoneyState
from apps.payments.gateways import Declined, Gateway, Refused, Unanswered, Unreachable

PAGE = 1000
STATES = {one.value: one for one in MoneyState}
NEVER_SENT = (exceptions.NewConnectionError, exceptions.ConnectTimeoutError)


class HTTPGateway:
    """Keep-alive connections, time-outs and a breaker around each call.

    A connection that breaks is tried once more at once with the same key: the usual cause is a
    kept connection that the gateway had closed meanwhile.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        concurrency: int,
        breaker: Breaker,
    ):
        self.breaker = breaker
        self._pool = urllib3.connection_from_url(
            url,
            maxsize=concurrency,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(connect=connect_timeout, read=read_timeout),
        )

    def authorize(self, reference: UUID, amount: Money, card_token: str, key: str) -> GatewayRecord:
        body = {"reference": str(reference), "amount": _money(amount), "card_token": card_token}
        return _record(self._post("/v1/authorizations", body, key))

    def capture(self, reference: UUID, amount: Money, key: str) -> GatewayRecord:
        path = f"/v1/payments/{reference}/captures"
        return _record(self._post(path, {"amount": _money(amount)}, key))

    def void(self, reference: UUID, key: str) -> GatewayRecord:
        return _record(self._post(f"/v1/payments/{reference}/voids", {}, key))

    def refund(self, reference: UUID, amount: Money, key: str) -> GatewayRecord:
        path = f"/v1/payments/{reference}/refunds"
        return _record(self._post(path, {"amount": _money(amount)}, key))

    def find(self, reference: UUID | str) -> GatewayRecord | None:
        status, data = self._exchange("GET", f"/v1/payments/{quote(str(reference), safe='')}")
        if status == 404:
            return None
        return _record(_definite(status, data))

    def page(self, after: int) -> tuple[list[GatewayRecord], int | None]:
        page = _definite(*self._exchange("GET", f"/v1/payments?after={after}&limit={PAGE}"))
        try:
            return [_record(one) for one in page["payments"]], page["next"]
        except KeyError as problem:
            raise Unanswered("gateway_error", "a page that cannot be read") from problem

    def records(self) -> Iterator[GatewayRecord]:
        after = 0
        while after is not None:
            records, after = self.page(after)
            yield from records

    def answers(self) -> bool:
        try:
            return self._pool.request("GET", "/livez", timeout=1, pool_timeout=1).status == 200
        except exceptions.HTTPError:
            return False

    def _post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        return _definite(*self._exchange("POST", path, orjson.dumps(body), key))

    def _exchange(
        self, method: str, path: str, body: bytes | None = None, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status (2xx or 4xx) and JSON object of the answer."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key} if key else {}
        try:
            with self.breaker.call():
                failpoint("gateway.before_send")
                response = self._send(method, path, body, headers)
                failpoint("gateway.after_reply")
                if response.status >= 500 or 300 <= response.status < 400:
                    raise Unanswered("gateway_error", f"status {response.status}")
                return response.status, _json(response)
        except BreakerOpen:
            raise Unreachable("breaker_open", "the gateway did not answer lately") from None

    def _send(self, method, path, body, headers) -> urllib3.BaseHTTPResponse:
        sent = False
        while True:
            try:
                return self._pool.request(method, path, body=body, headers=headers)
            except NEVER_SENT as problem:
                if sent:
                    raise Unanswered("connection_lost") from problem
                raise Unreachable("connection_failed") from problem
            except exceptions.TimeoutError as problem:
                raise Unanswered("timeout") from problem
            except exceptions.HTTPError as problem:
                if sent:
                    raise Unanswered("connection_lost") from problem
                sent = True


def _json(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    try:
        data = orjson.loads(response.data)
    except orjson.JSONDecodeError:
        data = None
    if not isinstance(data, dict):
        raise Unanswered("gateway_error", f"status {response.status} without a JSON object")
    return data


def _money(value: Money) -> dict[str, str]:
    return {"amount": str(value.amount), "currency": value.currency.code}


def _record(data: dict[str, Any]) -> GatewayRecord:
    """The gateway's answer as our contract; one that cannot be read is no answer."""
    try:
        return GatewayRecord(
            reference=data["reference"],
            gateway_reference=data["id"],
            state=STATES[data["status"]],
            code=data["code"],
            captures=data["captures"],
            created_at=datetime.fromisoformat(data["created_at"]),
            **{
                name: Money(Decimal(data[name]["amount"]), data[name]["currency"])
                for name in ("authorized", "captured", "refunded")
            },
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as problem:
        raise Unanswered("gateway_error", "an answer that cannot be read") from problem


def _definite(status: int, data: dict[str, Any]) -> dict[str, Any]:
    """The data of a success; raises what any other answer means."""
    if status < 300:
        return data
    error = data.get("error")
    error = error if isinstance(error, dict) else {}
    code, detail = str(error.get("code", f"status_{status}")), str(error.get("detail", ""))
    if status in (404, 409):
        raise Refused(code, detail)
    if status == 408:
        raise Unanswered(code, detail)
    if status in (401, 403, 425, 429):  # it did not look at the payment at all
        raise Unreachable(code, detail)
    raise Declined(code, detail)


def gateway() -> Gateway:
    """The gateway of the settings; one pool of connections and one breaker per process."""
    return _gateway(
        settings.GATEWAY_URL,
        settings.GATEWAY_CONNECT_TIMEOUT,
        settings.GATEWAY_READ_TIMEOUT,
        settings.GATEWAY_CONCURRENCY,
        settings.GATEWAY_BREAKER_FAILURES,
        settings.GATEWAY_BREAKER_SECONDS,
    )


@lru_cache(maxsize=8)
def _gateway(url, connect, read, concurrency, failures, seconds) -> HTTPGateway:
    breaker = Breaker(failures=failures, seconds=seconds, counted=(Unanswered, Unreachable))
    return HTTPGateway(
        url,
        connect_timeout=connect,
        read_timeout=read,
        concurrency=concurrency,
        breaker=breaker,
    )


# A forked child must not talk on its parent's connections.
os.register_at_fork(after_in_child=_gateway.cache_clear)
