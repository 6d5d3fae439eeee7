"""The processes of the shop, besides its servers, in the order they start."""

import signal
import sys
from pathlib import Path

from project import env
from project.local.supervisor import Service

# 2 workers × 4 databases × 8 connections: well below the server's 200 with workers and tests.
WEB_WORKERS, WEB_THREADS, WEB_POOL = 2, 8, 8


def gateway() -> Service:
    """The sandbox payment gateway, with its own durable record."""
    data = env.PLACES.var / "gateway"
    return Service(
        "gateway",
        _python(
            "-m", "apps.payments.sandbox", "--port", str(env.GATEWAY_PORT), "--data", str(data)
        ),
    )


def web() -> Service:
    return Service(
        "web",
        _python(
            "-m", "granian", "--interface", "wsgi", "--no-ws", "--http", "1",
            "--host", "127.0.0.1", "--port", str(env.PORT),
            "--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS),
            "--respawn-failed-workers", "--respawn-interval", "1",
            "--workers-kill-timeout", "5", "project.wsgi:application",
        ),
        stop=((signal.SIGTERM, 8),),
        environment={
            "DATABASE_POOL_MAX_SIZE": str(WEB_POOL),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics_directory()),
        },
    )  # fmt: skip


def metrics_directory() -> Path:
    """Where the counters of the web processes add up."""
    return env.PLACES.var / "metrics"


def worker() -> Service:
    return Service(
        "worker",
        _python(
            "-m", "celery", "-A", "project", "worker", "--pool", "prefork", "--concurrency", "2",
            "--loglevel", "WARNING", "--without-gossip", "--without-mingle",
        ),
        # Warm: the tasks in hand end. Cold: they are dropped and leases recover them.
        stop=((signal.SIGTERM, 20), (signal.SIGQUIT, 3)),
    )  # fmt: skip


def beat() -> Service:
    return Service(
        "beat",
        _python("-m", "celery", "-A", "project", "beat", "--loglevel", "WARNING", "--pidfile", ""),
        environment={"CELERY_SKIP_CHECKS": "1"},  # the worker runs them; beat starts sooner
    )


def relay() -> Service:
    """Carries events from the outboxes to the broker; ends with the batch in hand."""
    return Service("relay", _python("manage.py", "relay"), stop=((signal.SIGTERM, 15),))


def consumer() -> Service:
    """Applies events: a process for each consumer group below this one."""
    return Service("consumer", _python("manage.py", "consume"), stop=((signal.SIGTERM, 35),))


def mailer() -> Service:
    """Sends the mails that events gave rise to; ends with those in hand."""
    return Service("mailer", _python("manage.py", "send_mails"), stop=((signal.SIGTERM, 35),))


def _python(*words: str) -> list[str]:
    return [sys.executable, *words]
