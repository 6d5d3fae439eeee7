"""What the shop's databases hold from the start: entries of the scheduled jobs, and roles."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from apps.scheduling import facade as scheduling
from project.databases import CUSTOMERS


def lay(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Completes the customers database once all its tables and permissions are there."""
    if using == CUSTOMERS and sender is _last():
        scheduling.enter_jobs()


def connect() -> None:
    """Lays the groundwork after every migration and flush."""
    post_migrate.connect(lay, dispatch_uid="groundwork")


def _last() -> AppConfig:
    """The app that hears of a migration after all others."""
    return [config for config in apps.get_app_configs() if config.models_module is not None][-1]
