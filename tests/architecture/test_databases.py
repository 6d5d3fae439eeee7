"""Which database holds what."""

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from apps.messaging.models import Inbox, Outbox
from project import databases
from project.databases import ALIASES, APP_DATABASE, EVERYWHERE

# Kept by triggers, as an index is; no model reads or writes them.
DERIVED = {"catalog": {"catalog_searchentry", "catalog_searchword"}}


def home(model) -> str | None:
    label = model._meta.app_label
    return None if label in EVERYWHERE else APP_DATABASE[label]


def test_every_app_with_models_has_a_database():
    assert databases.check_every_app_is_mapped() == []


def test_an_unmapped_app_stops_the_start(monkeypatch):
    monkeypatch.delitem(databases.APP_DATABASE, "orders")
    [error] = databases.check_every_app_is_mapped()
    assert (error.id, "orders" in error.msg) == ("holdfast.E001", True)


def test_no_foreign_key_crosses_databases():
    crossing = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and field.related_model and home(model) != home(field.related_model)
    ]
    assert crossing == []


def test_models_that_stand_everywhere_want_to_know_where():
    with pytest.raises(ImproperlyConfigured, match="name one with using"):
        Outbox.objects.count()
    with pytest.raises(ImproperlyConfigured):
        Inbox.objects.create(consumer="x", message_id="y")


@pytest.mark.django_db(databases="__all__")
@pytest.mark.parametrize("alias", ALIASES)
def test_each_database_has_its_own_tables_and_those_that_stand_everywhere(alias):
    tables = set(connections[alias].introspection.table_names())
    expected = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if home(model) in (alias, None)
    }
    assert tables - {"django_migrations"} == expected | DERIVED.get(alias, set())
