"""The ten calls of a purchase in docs/api.md, run as they stand there, on a real server."""

import os
import re
import subprocess

import pytest

from apps.orders.models import Order
from tests.integration.api.mails import mail_url, mailed_code
from tests.processes import ROOT
from tests.trade import Trade

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs/api.md").read_text(), re.M | re.S)


def test_there_are_ten():
    assert sum(block.count("curl ") for block in BLOCKS) == 10


def test_they_buy_something(shop, tmp_path):
    trade = Trade(email="somebody@example.org")
    mails = tmp_path / "mail"
    shop.web(EMAIL_URL=mail_url(mails), EMAIL_VERIFICATION="mandatory")
    shop.worker()
    script = subprocess.Popen(
        ["bash", "-eu", "-o", "pipefail", "-c", "\n".join(BLOCKS)],
        env=os.environ | {"S": shop.url},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output, _ = script.communicate(f"{mailed_code(mails)}\n", timeout=60)
    assert script.returncode == 0, output
    order = Order.objects.get()
    assert (order.status, order.customer_id != trade.customer_id) == ("confirmed", True)
    assert f'"id":"{order.pk}","status":"confirmed"' in output
    assert re.search(r'^etag: "', output, re.M | re.I)
    assert '"is_authenticated": false' in output.splitlines()[-1]
