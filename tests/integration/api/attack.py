"""Schemathesis on this shop: sends its requests as somebody, and keeps what the schema denies."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import RequestFactory
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.generation.hypothesis.builder import (
    HypothesisTestConfig,
    HypothesisTestMode,
    create_test,
)
from schemathesis.generation.modes import GenerationMode

from apps.customers.models import User

BACKEND = "apps.customers.backends.LoginBackend"
# These end the session that they come with.
FAREWELLS = ("account_log_out", "account_end_sessions", "account_change_password")
# Values that fit the schema and are wrong all the same, for a reason that no schema can hold.
BEYOND_SCHEMA = {
    # Only the shop knows what it has.
    ("product_id", "unknown_product"),
    ("address_id", "not_found"),
    ("damaged", "unknown_line"),
    ("category", "does_not_exist"),
    ("parent", "does_not_exist"),
    # Two letters are not yet a country, nor three a currency of the shop.
    ("country", "country"),
    ("currency", "invalid_choice"),
    ("amount", "max_decimal_places"),
    ("amount", "min_value"),
    ("delta", "no_change"),
    # What is in the cart already counts.
    ("quantity", "max_quantity"),
    ("product_id", "too_many_lines"),
    ("slug", "invalid"),
    # One of two, in the body or in a header.
    ("shipping_address", "required"),
    ("payment", "required"),
    ("payment", "not_allowed"),
    ("price", "required"),
    ("version", "required"),
    # Pages go by number or by cursor.
    ("page", "exclusive"),
    ("version", "invalid"),
}
# The same for every field; text is trimmed before anything else.
BEYOND_FIELDS = {"blank", "nul", "unprintable"} | {
    # A field that another parameter rules out.
    "not_in_this_mode"
}
METHODICAL = (HypothesisTestMode.EXAMPLES, HypothesisTestMode.COVERAGE, HypothesisTestMode.FUZZING)
RANDOM = (HypothesisTestMode.FUZZING,)


def new_session(user: User) -> str:
    """A session token of ``user``."""
    request = RequestFactory().get("/")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, backend=BACKEND)
    request.session.save()
    return request.session.session_key


@contextmanager
def in_this_transaction() -> Iterator[None]:
    """Lets the WSGI application use the test's connections, which it would close otherwise."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written inside is not there afterwards."""
    with ExitStack() as stack:
        for alias in settings.DATABASES:
            stack.enter_context(transaction.atomic(using=alias))
        yield
        for alias in settings.DATABASES:
            transaction.set_rollback(True, using=alias)


@dataclass
class Attack:
    """``user``: who attacks (None = nobody); ``known``: values that exist, by parameter name."""

    user: User | None
    known: dict[str, Any]
    seed: int
    requests: int = 0
    answers: Counter = field(default_factory=Counter)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    token: str = ""

    def run(self, operation, *, modes=RANDOM, fuzzing: int) -> None:
        """``fuzzing`` random requests; with ``METHODICAL`` also its examples and boundaries."""
        self.log_in()
        config = HypothesisTestConfig(
            modes=list(modes),
            project=operation.schema.config,
            seed=self.seed,
            settings=hypothesis_settings(
                max_examples=fuzzing,
                deadline=None,
                database=None,
                phases=(Phase.explicit, Phase.generate),
                suppress_health_check=list(HealthCheck),
            ),
        )
        with undone():
            create_test(
                operation=operation, test_func=lambda case: self.send(case), config=config
            )()

    def log_in(self) -> None:
        self.token = new_session(self.user) if self.user else ""

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Session-Token": self.token} if self.token else {}

    def send(self, case) -> None:
        name = case.operation.definition.raw["operationId"]
        self.requests += 1
        if name in FAREWELLS:
            self.log_in()
        fits = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
        if fits:
            self.aim(case)
        response = case.call(headers=self.headers)
        self.answers[case.operation.label, case.method, response.status_code] += 1
        try:
            case.validate_response(
                response,
                headers=self.headers,
                excluded_checks=CHECKS.get_by_names(list(self.allowances(case, response))),
                transport_kwargs={"headers": self.headers},
            )
        except FailureGroup as group:
            for failure in group.exceptions:
                self.keep(case, response, failure)

    def aim(self, case) -> None:
        """Every second request is about things that exist; the others are about none."""
        case.query.pop("cursor", None)  # comes from a page and cannot be made up
        if isinstance(case.body, list | dict):
            case.body = _with_plain_integers(case.body)
        if case.headers.get("If-Match") == "0":
            # For optional headers the shortest text is taken, whatever the pattern says.
            case.headers["If-Match"] = '"1"'
        if len(case.headers.get("X-Cart-Token", "")) == 1:
            case.headers["X-Cart-Token"] *= 43
        if self.requests % 2:
            return
        for name in case.path_parameters:
            case.path_parameters[name] = self.known[name]
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = f"key {self.requests}"
        body = case.body if isinstance(case.body, dict) else {}
        for line in body.get("lines", ()):
            if "product_id" in line:
                line["product_id"] = self.known["product_id"]

    def allowances(self, case, response) -> Iterator[str]:
        """Checks that do not apply, because the answer depends on more than what was sent."""
        status = response.status_code
        if case.path.startswith("/_allauth/"):
            if status in (400, 410):  # a wrong password, a code that nobody was sent; a dead token
                yield "positive_data_acceptance"
            if status == 410:
                yield "negative_data_rejection"
            if status == 409:  # nothing is under way, whatever was sent
                yield "missing_required_header"
            yield "ignored_auth"  # a dead token is a 410 there, which the check does not know
        elif status == 422 or (status == 400 and _beyond_schema(response)):
            # 422: a key that was used for another request.
            yield "positive_data_acceptance"
        elif "fields" in case.query and case.method == "GET":
            self.check_sparse(case, response)
            yield "response_schema_conformance"

    def check_sparse(self, case, response) -> None:
        """A product of which only some ``fields`` were wanted has these and no others."""
        if response.status_code == 200:
            data = json.loads(response.content)
            wanted = set(case.query["fields"].split(","))
            rows = data.get("results", [data])
            assert all(set(row) == wanted for row in rows), (case.query, data)

    def keep(self, case, response, failure) -> None:
        """The first failure of each kind at each operation, with what was sent and answered."""
        key = (case.operation.label, type(failure).__name__)
        sent = {"query": case.query, "headers": case.headers, "body": case.body}
        phase = case.meta.phase.data if case.meta else None
        self.failures.setdefault(
            key,
            f"{case.method} {case.formatted_path} {str(sent)[:500]}\n  -> {response.status_code} "
            f"{response.content[:500]!r}\n  {failure}\n  {phase}"[:1800],
        )


def _with_plain_integers(value: Any) -> Any:
    """JSON Schema takes 2.0 for an integer; the shop wants integers written as such."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_plain_integers(inner) for inner in value]
    if isinstance(value, dict):
        return {name: _with_plain_integers(inner) for name, inner in value.items()}
    return value


def _beyond_schema(response) -> bool:
    """Whether the answer finds fault with nothing but what no schema can say."""
    errors = json.loads(response.content).get("errors", ())
    named = {(error["field"].rpartition(".")[2], error["code"]) for error in errors}
    return bool(named) and all(one in BEYOND_SCHEMA or one[1] in BEYOND_FIELDS for one in named)


load_all_checks()
