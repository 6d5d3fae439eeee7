"""Soft deletion: what is deleted stays deleted until someone restores it."""

import pytest
from django.db import DatabaseError, IntegrityError
from safedelete.config import HARD_DELETE
from safedelete.models import SafeDeleteModel

from apps.catalog.models import Category
from apps.customers.models import Address, User

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


@pytest.fixture
def category():
    return Category.objects.create(name="Lamps", slug="lamps")


@pytest.fixture
def address():
    user = User.objects.create_user("ann@example.com", name="Ann")
    return Address.objects.create(user=user, name="Ann", line1="1", city="Ely", country="GB")


def test_a_deleted_row_is_hidden_and_kept(category):
    category.delete()

    assert Category.objects.count() == 0
    assert Category.all_objects.count() == 1
    assert Category.deleted_objects.get() == category


def test_a_stale_save_does_not_resurrect(category):
    stale = Category.objects.get()
    category.delete()

    stale.name = "Lights"
    stale.save()

    row = Category.all_objects.get()
    assert row.deleted is not None
    assert row.name == "Lights"


def test_the_librarys_own_save_would_resurrect(category):
    """The control: without our ``save`` the stale copy brings the row back."""
    stale = Category.objects.get()
    category.delete()

    SafeDeleteModel.save(stale)

    assert Category.objects.count() == 1


@pytest.mark.parametrize(
    "arguments", [{"keep_deleted": False}, {"update_fields": None}, {"using": "catalog"}]
)
def test_no_argument_of_save_resurrects(category, arguments):
    stale = Category.objects.get()
    category.delete()

    stale.save(**arguments)

    assert Category.objects.count() == 0


def test_update_or_create_makes_a_new_row_beside_the_deleted_one(category):
    category.delete()

    row, created = Category.objects.update_or_create(slug="lamps", defaults={"name": "New"})

    assert created
    assert row.pk != category.pk
    assert Category.deleted_objects.get().name == "Lamps"


def test_a_stale_save_does_not_delete_again_what_was_restored(category):
    category.delete()
    stale = Category.deleted_objects.get()
    Category.deleted_objects.get().undelete()

    stale.name = "Lights"
    stale.save()

    assert Category.objects.get().name == "Lights"


def test_delete_and_undelete_write_nothing_else(category):
    stale = Category.objects.get()
    Category.objects.update(name="Renamed meanwhile")

    stale.delete()
    assert Category.deleted_objects.get().name == "Renamed meanwhile"
    stale.undelete()
    assert Category.objects.get().name == "Renamed meanwhile"


def test_a_partly_loaded_row_saves_what_was_loaded(category):
    partly = Category.objects.only("name").get()
    Category.objects.update(slug="moved-meanwhile")

    partly.name = "Lights"
    partly.save()

    row = Category.objects.get()
    assert (row.name, row.slug) == ("Lights", "moved-meanwhile")


def test_named_fields_alone_are_saved(category):
    stale = Category.objects.get()
    Category.objects.update(slug="moved-meanwhile")

    stale.name = "Lights"
    stale.save(update_fields=["name"])

    row = Category.objects.get()
    assert (row.name, row.slug) == ("Lights", "moved-meanwhile")


def test_restoring_into_a_taken_place_is_refused_by_the_database(category):
    category.delete()
    Category.objects.create(name="Other lamps", slug="lamps")

    with pytest.raises(IntegrityError):
        category.undelete()


def test_a_hard_delete_leaves_nothing_and_a_stale_save_does_not_insert(category):
    stale = Category.objects.get()
    category.delete(force_policy=HARD_DELETE)
    assert Category.all_objects.count() == 0

    with pytest.raises(DatabaseError):
        stale.save()


def test_bulk_update_through_the_living_leaves_the_deleted_alone(category):
    Category.objects.create(name="Chairs", slug="chairs")
    category.delete()

    assert Category.objects.update(name="All") == 1
    assert Category.deleted_objects.get().name == "Lamps"


def test_each_row_is_written_in_its_own_database(category, address):
    address.delete()
    category.delete()

    assert Address.deleted_objects.using("default").count() == 1
    assert Category.deleted_objects.using("catalog").count() == 1
    address.undelete()
    category.undelete()
    assert Address.objects.get() == address
    assert Category.objects.get() == category


def test_a_queryset_deletes_and_restores_softly(category):
    assert Category.objects.all().delete()[0] == 1
    assert Category.objects.count() == 0
    Category.deleted_objects.all().undelete()
    assert Category.objects.count() == 1
