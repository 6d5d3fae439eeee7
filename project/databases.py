"""Which database holds which app: the one declaration for reads, writes, relations, migrations."""

from django.apps import apps
from django.core.checks import Error, register
from django.core.exceptions import ImproperlyConfigured

CUSTOMERS, CATALOG, ORDERS, REPORTING = "default", "catalog", "orders", "reporting"
ALIASES = (CUSTOMERS, CATALOG, ORDERS, REPORTING)

# Tables that must commit with the business rows next to them stand in every database.
EVERYWHERE = frozenset({"messaging"})

APP_DATABASE = {
    "account": CUSTOMERS,
    "admin": CUSTOMERS,
    "auth": CUSTOMERS,
    "contenttypes": CUSTOMERS,
    "customers": CUSTOMERS,
    "django_celery_beat": CUSTOMERS,
    "eventlog": REPORTING,
    "mfa": CUSTOMERS,
    "notifications": CUSTOMERS,
    "reporting": REPORTING,
    "scheduling": CUSTOMERS,
    "sessions": CUSTOMERS,
    "usersessions": CUSTOMERS,
    "caching": CATALOG,  # its rows commit with what is cached
    "catalog": CATALOG,
    "orders": ORDERS,
    "payments": ORDERS,
    "sagas": ORDERS,
    "shipping": ORDERS,
}


class AppRouter:
    """Routes by app label; a model that stands in every database must be asked with an alias."""

    def _alias(self, model, hints) -> str:
        label = model._meta.app_label
        if label in EVERYWHERE:
            instance = hints.get("instance")
            if instance is not None and instance._state.db:
                return instance._state.db
            raise ImproperlyConfigured(
                f"{model.__name__} stands in every database: name one with using(alias)"
            )
        return APP_DATABASE[label]

    def db_for_read(self, model, **hints) -> str:
        return self._alias(model, hints)

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints) -> bool:
        labels = {one._meta.app_label, other._meta.app_label}
        if labels & EVERYWHERE:
            return len(labels) == 1
        return len({APP_DATABASE[label] for label in labels}) == 1

    def allow_migrate(self, db, app_label, **hints) -> bool:
        return app_label in EVERYWHERE or APP_DATABASE.get(app_label) == db


@register
def check_every_app_is_mapped(app_configs=None, **kwargs) -> list[Error]:
    """An app with models and no database of its own stops the start."""
    return [
        Error(
            f"app '{config.label}' has models but no database",
            hint="map its label in project/databases.py",
            id="holdfast.E001",
        )
        for config in apps.get_app_configs()
        if any(config.get_models())
        and config.label not in APP_DATABASE
        and config.label not in EVERYWHERE
    ]
