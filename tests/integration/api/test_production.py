"""What production settings demand, seen by a process that starts with them."""

import json
import os
import subprocess
import sys

from tests.processes import ROOT

PRODUCTION = {
    "HOLDFAST_ENV": "production",
    "SECRET_KEY": "only-for-this-test-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "ALLOWED_HOSTS": "shop.example",
}
ANSWERS = """
import json, django
django.setup()
from django.conf import settings
from django.test import Client
names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "DEBUG",
         "CORS_ALLOWED_ORIGINS", "SECURE_HSTS_SECONDS"]
plain = Client().get("/api/schema", headers={"Host": "shop.example"})
secure = Client().get("/api/schema", secure=True, headers={"Host": "shop.example"})
other = Client().get("/api/schema", secure=True, headers={"Host": "elsewhere.example"})
print(json.dumps({
    "settings": {name: getattr(settings, name) for name in names},
    "plain": [plain.status_code, plain.get("Location")],
    "hsts": secure["Strict-Transport-Security"],
    "other": other.status_code,
}))
"""


def start(**environment: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if k not in ("SECRET_KEY", "ALLOWED_HOSTS")}
    settings = {"DJANGO_SETTINGS_MODULE": "project.settings"}
    return subprocess.run(
        [sys.executable, "-c", ANSWERS],
        cwd=ROOT,
        env=kept | settings | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_is_https_and_cookies_are_secure():
    done = start(**PRODUCTION)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["settings"] == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "DEBUG": False,
        "CORS_ALLOWED_ORIGINS": [],
        "SECURE_HSTS_SECONDS": 31_536_000,
    }
    assert found["plain"] == [301, "https://shop.example/api/schema"]
    assert found["hsts"] == "max-age=31536000; includeSubDomains; preload"
    assert found["other"] == 400


def test_there_is_no_default_key():
    done = start(HOLDFAST_ENV="production", ALLOWED_HOSTS="shop.example")
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr
