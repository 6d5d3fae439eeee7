"""What mails say, to the letter; nothing from outside becomes a part of their HTML or headers."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import pytest

from apps.notifications.composing import Ordered
from apps.notifications.rendering import html_of, message, text_of
from tests.unit.notifications.samples import ADA, EVERY, LINES, composed

GOLDEN = Path(__file__).with_name("golden")
EVENT_ID = UUID("019aa1c5-0000-7000-8000-000000000001")
EVIL = '<script>alert("1")</script>'


@pytest.mark.parametrize("name", EVERY)
def test_the_text_of_each_mail_is_as_it_was_approved(name):
    mail = composed(name)
    text = f"Subject: {mail.subject}\n\n{text_of(EVERY[name][0], mail)}"

    assert text == (GOLDEN / f"{name}.txt").read_text()


class Words(HTMLParser):
    """The visible words of a page, and the tags it is made of."""

    def __init__(self, page: str):
        super().__init__()
        self.words: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.add(tag)

    def handle_data(self, data) -> None:
        self.words += data.split()


@pytest.mark.parametrize("name", EVERY)
def test_the_html_says_what_the_text_says(name):
    kind, mail = EVERY[name][0], composed(name)
    words = " ".join(Words(html_of(kind, mail)).words)

    amounts = {word for word in text_of(kind, mail).split() if word.startswith("£")}
    assert {one.rstrip(",.") for one in amounts} <= {one.rstrip(",.") for one in words.split()}
    assert ("Ada Lovelace" in words) is (kind != "welcome")
    if kind != "welcome":
        assert mail.context["number"] in words and mail.context["order_id"] in words


@pytest.mark.parametrize("name", EVERY)
def test_names_are_text_in_the_html_whatever_they_hold(name):
    lines = [LINES[0] | {"name": EVIL, "sku": EVIL}]
    mail = composed(
        name,
        addressee=replace(ADA, name=EVIL),
        ordered=Ordered("GBP", "9.50", "0.00", "9.50", lines),
    )
    evil_facts = {"tracking_number": EVIL, "reason": EVIL}
    context = mail.context | {"facts": mail.context.get("facts", {}) | evil_facts}
    page = Words(html_of(EVERY[name][0], replace(mail, context=context)))

    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "p"),
        *("span", "br", "strong"),
    }
    assert any(EVIL in word for word in page.words) is (name != "welcome")


def test_text_is_not_escaped():
    assert "Tea <Earl & Grey>" in text_of(*_confirmed())


def test_a_message_has_both_forms_and_an_id_of_its_event():
    kind, mail = _confirmed()
    one = message(event_id=EVENT_ID, kind=kind, copy=0, content=mail).message()

    assert one["Message-ID"] == f"<{EVENT_ID}.order_confirmed.0@localhost>"
    assert (one["To"], one["Auto-Submitted"]) == ("ada@example.com", "auto-generated")
    assert [part.get_content_type() for part in one.get_payload()] == ["text/plain", "text/html"]


def test_free_shipping_is_called_so():
    mail = composed("order_confirmed", ordered=Ordered("EUR", "5.00", "0.00", "5.00", LINES[:1]))

    assert "Shipping: free\nTotal:    €5.00" in text_of(EVERY["order_confirmed"][0], mail)


def _confirmed():
    return EVERY["order_confirmed"][0], composed("order_confirmed")
