"""The one reader of the environment.

Every other module asks here or ``django.conf.settings``. A value comes from the process
environment, else from ``.env`` beside ``manage.py``, else from the embedded parts below ``var/``.
``.env.example`` lists all names.
"""

import secrets
from decimal import Decimal, InvalidOperation
from pathlib import Path
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured

from project.local import owner, places

BASE_DIR = places.ROOT
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def is_set(variable: str) -> bool:
    """Whether ``variable`` names a part of its own, in place of the embedded one."""
    return bool(env.str(variable, ""))


def _port(variable: str, default: int) -> int:
    text = env.str(variable, "") or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ImproperlyConfigured(f"{variable}={text} is not a port between 1 and 65535")
    return int(text)


PLACES = places.current()
PRODUCTION = env.str("HOLDFAST_ENV", "development") == "production"
# Connections per alias and process; 0 = no pool (workers keep one connection per alias instead).
POOL_MAX_SIZE = env.int("DATABASE_POOL_MAX_SIZE", 0)
# Every statement ends by itself: milliseconds.
STATEMENT_TIMEOUT = env.int("DATABASE_STATEMENT_TIMEOUT_MS", 30_000)
LOCK_TIMEOUT = env.int("DATABASE_LOCK_TIMEOUT_MS", 10_000)
IDLE_IN_TRANSACTION_TIMEOUT = env.int("DATABASE_IDLE_IN_TRANSACTION_TIMEOUT_MS", 60_000)

# Listeners, all on loopback. Where nothing is said, those of the shop that runs on this var/.
RUNNING = {} if is_set("PORT") else owner.ports(PLACES)
PORT = _port("PORT", RUNNING.get("PORT", 8000))
GATEWAY_PORT = _port("GATEWAY_PORT", RUNNING.get("GATEWAY_PORT", PORT + 1))
GATEWAY_URL = env.str("GATEWAY_URL", "") or f"http://127.0.0.1:{GATEWAY_PORT}"


def embedded_databases() -> bool:
    """Whether any of the databases is the embedded one."""
    return not all(is_set(f"{name.upper()}_DATABASE_URL") for name in places.DATABASES)


def database(name: str) -> dict:
    """Django's settings of the database ``name``: its URL if one is set, else the embedded one."""
    url_name = f"{name.upper()}_DATABASE_URL"
    if env.str(url_name, ""):
        config = env.db_url(url_name)
        config["HOST"] = unquote(config["HOST"])  # a socket directory, as libpq writes it
    else:
        config = {
            "NAME": name,
            "USER": "holdfast",
            "HOST": str(PLACES.postgres_sockets),
            "PORT": "5432",
        }
    options = dict(config.get("OPTIONS", {}))
    options["options"] = (
        f"-c statement_timeout={STATEMENT_TIMEOUT} -c lock_timeout={LOCK_TIMEOUT}"
        f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT}"
    )
    options.setdefault("connect_timeout", 5)
    options.setdefault("application_name", env.str("HOLDFAST_PROCESS", "holdfast"))
    if POOL_MAX_SIZE:
        options["pool"] = {"min_size": 0, "max_size": POOL_MAX_SIZE, "timeout": 5}
    config |= {
        "ENGINE": "apps.common.postgresql",
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if POOL_MAX_SIZE else 600,
        "CONN_HEALTH_CHECKS": not POOL_MAX_SIZE,
        "ATOMIC_REQUESTS": False,
        "TEST": {"DEPENDENCIES": []},
    }
    return config


def amount(variable: str) -> Decimal | None:
    """``variable`` as an amount of money; None where it is not set."""
    text = env.str(variable, "")
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise ImproperlyConfigured(f"{variable}={text!r} is not an amount like 12.50") from None


def choice(variable: str, first: str, *others: str) -> str:
    """``variable``, one of these words; the first where it is not set."""
    text = env.str(variable, "") or first
    if text not in (first, *others):
        raise ImproperlyConfigured(
            f"{variable}={text!r} is not one of {', '.join((first, *others))}"
        )
    return text


def redis_url(variable: str, socket: Path) -> str:
    """``variable``'s URL, else the embedded instance behind ``socket``."""
    return env.str(variable, "") or f"unix://{socket}?db=0"


def broker_url() -> str:
    """Celery's broker: ``BROKER_URL``, else the durable Redis."""
    queue = redis_url("QUEUE_REDIS_URL", PLACES.redis_durable)
    return env.str("BROKER_URL", "") or queue.replace("unix://", "redis+socket://").replace(
        "?db=", "?virtual_host="
    )


def email() -> dict:
    """Django's settings of outgoing mail: ``EMAIL_URL``, else files below ``var/``; in production
    the mail server of this machine."""
    if env.str("EMAIL_URL", "") or PRODUCTION:
        return dict(env.email_url_config(env.str("EMAIL_URL", "") or "smtp://localhost:25"))
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": str(PLACES.mail),
    }


def secret_key() -> str:
    """``SECRET_KEY``; in development one made once and kept under ``var/`` for its owner."""
    if PRODUCTION or env.str("SECRET_KEY", ""):
        return env.str("SECRET_KEY")
    PLACES.var.mkdir(parents=True, exist_ok=True)
    path = PLACES.secret_key
    if not path.exists():
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        try:
            path.hardlink_to(draft)  # atomic: the first of several processes wins
        except FileExistsError:
            pass
        draft.unlink()
    return path.read_text()
