"""A client that a stranger generates from the checked-in document can do what an app needs."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.integration.api.mails import mail_url, mailed_code
from tests.processes import ROOT, eventually
from tests.trade import Trade

DOCUMENT = ROOT / "docs" / "openapi.yaml"
PACKAGE = "holdfast_client"
PASSWORD = "four-quiet-brown-hens"

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The client's package, generated into a directory that goes away."""
    directory = tmp_path_factory.mktemp("client")
    config = directory / "config.yaml"
    config.write_text("post_hooks: []\n")
    command = [Path(sys.executable).parent / "openapi-python-client", "generate"]
    command += ["--path", DOCUMENT, "--config", config, "--meta", "none", "--fail-on-warning"]
    command += ["--output-path", directory / PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(directory))
    yield SimpleNamespace(
        package=importlib.import_module(PACKAGE),
        models=importlib.import_module(f"{PACKAGE}.models"),
        call=lambda tag, name, **words: importlib.import_module(
            f"{PACKAGE}.api.{tag}.{name}"
        ).sync_detailed(**words),
    )
    sys.path.remove(str(directory))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_it_signs_up_browses_orders_and_follows_the_saga(generated, shop, tmp_path):
    trade = Trade(email="somebody@example.org")
    mails = tmp_path / "mail"
    shop.web(EMAIL_URL=mail_url(mails), EMAIL_VERIFICATION="mandatory")
    shop.worker()
    call, models = generated.call, generated.models
    anybody = generated.package.Client(base_url=shop.url)

    signing_up = models.AccountSignUpBody("ada@example.org", PASSWORD, "Ada Lovelace")
    pending = call("account", "account_sign_up", client=anybody, body=signing_up)
    assert pending.status_code == 401
    assert [f.id for f in pending.parsed.data.flows if f.is_pending is True] == ["verify_email"]

    def somebody(token: str):
        return generated.package.AuthenticatedClient(
            base_url=shop.url, token=token, prefix="", auth_header_name="X-Session-Token"
        )

    confirming = models.AccountVerifyEmailBody(mailed_code(mails))
    token = pending.parsed.meta.session_token
    confirmed = call("account", "account_verify_email", client=somebody(token), body=confirming)
    assert confirmed.status_code == 200, confirmed.content

    logging_in = models.AccountLogInBody("ada@example.org", PASSWORD)
    session = call("account", "account_log_in", client=anybody, body=logging_in).parsed
    assert session.data.user.email == "ada@example.org"
    ada = somebody(session.meta.session_token)

    products = call("products", "products_list", client=anybody).parsed.results
    assert {product.sku for product in products} == {"MUG", "CUP"}
    assert products[0].price.amount == "9.50"

    ordering = models.PlaceOrderInputRequest(
        lines=[models.OrderLineInputRequest(trade.products["MUG"], 2)],
        payment=models.PaymentInputRequest("tok_approve"),
        shipping_address=models.ShippingAddressInputRequest(
            "Ada Lovelace", "12 St James's Square", "London", "GB"
        ),
    )
    words = {"client": ada, "body": ordering, "idempotency_key": "my first order"}
    receipt = call("orders", "orders_place", **words)
    assert receipt.status_code == 202
    assert call("orders", "orders_place", **words).parsed.id == receipt.parsed.id

    def saga():
        return call("sagas", "sagas_get", saga_id=receipt.parsed.saga_id, client=ada).parsed

    eventually(lambda: saga().status == "completed")
    assert [step.name for step in saga().steps][-1] == "confirm_order"
    order = call("orders", "orders_get", order_id=receipt.parsed.id, client=ada).parsed
    assert (order.status, order.payment_status) == ("confirmed", "captured")
    assert order.total.amount == "19.00"


def test_it_gets_errors_as_problems(generated, shop):
    shop.web()
    anybody = generated.package.Client(base_url=shop.url)
    refused = generated.call("products", "products_list", client=anybody, limit=1_000)
    assert refused.status_code == 400
    assert isinstance(refused.parsed, generated.models.Problem)
    assert [(e.field, e.code) for e in refused.parsed.errors] == [("limit", "invalid")]
