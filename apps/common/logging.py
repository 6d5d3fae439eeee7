"""Logs: one JSON object per line in production, readable lines in development."""

import logging.config
import sys
from functools import lru_cache
from typing import Any

import structlog

SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "card", "session_key")
HIDDEN = "[hidden]"


def hide_secrets(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A structlog processor: values whose name speaks of a secret never reach the log."""
    for name in event:
        if _speaks_of_secret(name):
            event[name] = HIDDEN
    return event


@lru_cache(maxsize=1_000)
def _speaks_of_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _renderers(as_json: bool) -> list:
    if as_json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=True),
        ]
    # Not structlog's rich tracebacks: they print local variables, secrets among them.
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]


class OnlyTracebacks(logging.Filter):
    """Lets through what has a traceback; of the rest the access line tells already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return bool(record.exc_info)


def configure(options: dict[str, Any]) -> None:
    """Django's ``LOGGING_CONFIG``; ``options`` is its ``LOGGING``: ``json`` (bool), ``level``.

    Lines of the standard library's loggers (Django, Celery, allauth) get the same form.
    """
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *_renderers(options["json"]),
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "filters": {"tracebacks": {"()": OnlyTracebacks}},
            "loggers": {
                "django.request": {"level": "ERROR", "filters": ["tracebacks"]},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
            },
        }
    )
