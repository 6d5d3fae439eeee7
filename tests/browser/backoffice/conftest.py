"""A real browser in front of the real web server: every page is watched while it is used."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page
from playwright.sync_api import TimeoutError as NotInTime

from apps.customers import facade as customers
from apps.customers.contracts import Login

PASSWORD = "staff-counter-9371"
EMAIL = "staff@example.org"
WIDTHS = (390, 1280)
# A page that is being replaced has no root element for a moment.
TOO_WIDE = "(document.documentElement?.scrollWidth ?? Infinity) - window.innerWidth"
SERIOUS = {"serious", "critical"}
# SCREENSHOTS=directory keeps a picture of each page that is looked at.
PICTURES = os.environ.get("SCREENSHOTS", "")


@dataclass
class Counter:
    """A page in use and what was seen of it that should not be."""

    page: Page
    url: str
    dark: bool
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def go(self, path: str) -> Page:
        self.page.goto(self.url + path)
        self.page.wait_for_load_state("networkidle")
        return self.page

    def login(self) -> None:
        page = self.go("/admin/login/?next=/admin/")
        page.get_by_label("e-mail").or_(page.locator("[name=username]")).first.fill(EMAIL)
        page.locator("[name=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(self.url + "/admin/")

    def look(self, name: str) -> None:
        """Checks the page, wide and narrow, for what keeps people from using it."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self._look(f"{name}-{'dark' if self.dark else 'light'}-{width}")

    def _look(self, name: str) -> None:
        page = self.page
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)
        try:  # charts fit themselves to a new width a moment after it changed
            page.wait_for_function(f"{TOO_WIDE} <= 0", timeout=10_000)
        except NotInTime:
            self.wrong.append(f"{name} is {page.evaluate(TOO_WIDE)} pixels too wide")
        for one in Axe().run(page).response["violations"]:
            if one["impact"] in SERIOUS:
                where = "; ".join(node["html"][:160] for node in one["nodes"][:3])
                self.wrong.append(f"{name}: {one['id']} ({one['impact']}): {where}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(f"console at {self.page.url}: {message.text}")

    def _request(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https") and parts.netloc != urlsplit(self.url).netloc:
            self.wrong.append(f"asked another host: {request.url}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status} from {response.url}")


@pytest.fixture
def member_of_staff(transactional_db) -> Login:
    return customers.create_login(EMAIL, "Sam Staff", PASSWORD, staff=True)


@pytest.fixture
def counter(chromium, shop, member_of_staff) -> Iterator[Callable[..., Counter]]:
    """A browser in front of the running shop: ``counter(dark=True)``."""
    shop.web()
    opened: list[Counter] = []

    def begin(*, dark: bool = False) -> Counter:
        context = chromium.new_context(color_scheme="dark" if dark else "light")
        one = Counter(context.new_page(), shop.url, dark)
        one.watch()
        opened.append(one)
        return one

    yield begin
    wrong = [text for one in opened for text in one.wrong]
    for one in opened:
        one.page.context.close()
    assert wrong == []
