"""``.env.example`` is the whole truth about what can be set."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project import env
from project.local import __main__ as local
from project.local.places import DATABASES, ROOT

READ = re.compile(
    r"""(?:\benv\.(?:str|int|bool|float|list|json|amount|choice)|env\.env|_port)\(\s*"([A-Z_]+)\""""
)


def variables_read() -> set[str]:
    project = ROOT / "project"
    sources = [project / "env.py", *(project / "settings").glob("*.py")]
    found = {name for path in sources for name in READ.findall(path.read_text())}
    found |= {f"{name.upper()}_DATABASE_URL" for name in DATABASES}
    return found | {"CACHE_URL", "QUEUE_REDIS_URL", "HOLDFAST_VAR"}


def variables_listed() -> list[str]:
    return re.findall(r"^#([A-Z_]+)=", Path(ROOT / ".env.example").read_text(), re.MULTILINE)


def test_every_variable_is_listed_once():
    assert sorted(variables_listed()) == sorted(variables_read())


def test_the_test_suite_forgets_every_configured_server():
    urls = {name for name in variables_read() if name.endswith("_URL")}

    assert urls <= set(local.URLS)


def test_a_word_that_is_none_of_those_to_choose_from_stops_the_start(monkeypatch):
    monkeypatch.setenv("CHECKOUT_COORDINATION", "choreographd")
    with pytest.raises(ImproperlyConfigured, match="orchestrated, choreographed"):
        env.choice("CHECKOUT_COORDINATION", "orchestrated", "choreographed")
