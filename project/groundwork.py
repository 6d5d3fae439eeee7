"""What the shop's databases hold from the start: entries of the scheduled jobs, and roles."""

import logging
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate

from apps.customers.roles import roles_sync
from apps.scheduling import facade as scheduling
from project.databases import APP_DATABASE, CUSTOMERS
from project.roles import ROLES

logger = logging.getLogger(__name__)


def lay(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Completes the customers database once all its tables and permissions are there.

    A migration that stops half-way is no time for it: the next one that ends completes it.
    """
    if using != CUSTOMERS or sender is not _last():
        return
    state = kwargs.get("apps", apps)  # as far as migrations have come; a flush has them all
    if all(state.all_models.get(label) for label in APP_DATABASE):
        try:
            lay_all()
        except LookupError as error:
            logger.warning("roles were not brought up to date: %s", error)


def lay_all() -> None:
    """The same at once; safe to repeat."""
    scheduling.enter_jobs()
    roles_sync(roles=ROLES)


def connect() -> None:
    """Lays the groundwork after every migration and flush."""
    post_migrate.connect(lay, dispatch_uid="groundwork")


def _last() -> AppConfig:
    """The app that hears of a migration after all others."""
    return [config for config in apps.get_app_configs() if config.models_module is not None][-1]
