"""Logs are JSON in production, and no secret gets into them."""

import json
import subprocess
import sys

import pytest

from apps.common.correlation import current_request_id, request_id_bound, sane_request_id
from apps.common.logging import HIDDEN, hide_secrets

PROGRAM = """
import logging, structlog
from apps.common.correlation import request_id_bound
from apps.common.logging import configure
configure({"json": True, "level": "INFO"})
with request_id_bound("r-1"):
    structlog.get_logger("shop").info("paid", amount=3, card_token="tok_1")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("library").exception("broke %s", "here")
logging.getLogger("library").debug("too much")
logging.getLogger("library").warning("two\\nlines")
"""


def test_lines_of_all_loggers_are_json_objects():
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    paid, broke, quiet = [json.loads(line) for line in run.stderr.splitlines()]
    assert (paid["event"], paid["amount"], paid["card_token"]) == ("paid", 3, HIDDEN)
    assert (paid["logger"], paid["level"], paid["request_id"]) == ("shop", "info", "r-1")
    assert paid["timestamp"].endswith("Z")
    assert (broke["event"], broke["request_id"]) == ("broke here", "r-1")
    assert "ZeroDivisionError" in broke["exception"]
    assert (quiet["event"], "request_id" in quiet) == ("two\nlines", False)


def test_a_traceback_shows_no_local_variables():
    program = """
import structlog
from apps.common.logging import configure
configure({"json": False, "level": "INFO"})
password = "hu" + "sh"
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("shop").exception("broke")
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert b"ZeroDivisionError" in run.stderr
    assert b"hush" not in run.stderr


@pytest.mark.parametrize(
    "name", ["password", "X-Session-Token", "Authorization", "card_number", "cookie", "api_secret"]
)
def test_values_named_like_secrets_are_hidden(name):
    assert hide_secrets(None, "info", {name: "s3cret", "sku": "A"}) == {name: HIDDEN, "sku": "A"}


def test_the_request_id_is_bound_for_a_block_only():
    with request_id_bound("a"):
        with request_id_bound("b"):
            assert current_request_id() == "b"
        assert current_request_id() == "a"
    assert current_request_id() == ""


@pytest.mark.parametrize("offered", ["a", "A-1._z", "x" * 64])
def test_a_sane_request_id_is_kept(offered):
    assert sane_request_id(offered) == offered


@pytest.mark.parametrize("offered", [None, "", "x" * 65, "a b", "a\n", "ä", '"a"', "a/b"])
def test_any_other_request_id_is_replaced(offered):
    made = sane_request_id(offered)
    assert made != offered
    assert sane_request_id(made) == made
