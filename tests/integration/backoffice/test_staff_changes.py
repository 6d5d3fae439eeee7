"""The audit log of staff: one list over all databases, filtered, with before and after."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.catalog import services
from apps.catalog.models import Product
from apps.common.actor import Actor, acting
from apps.common.databases import execute
from apps.customers.models import User
from apps.messaging import staff_admin
from apps.messaging.changes import Place, Wanted, staff_changes
from apps.messaging.models import StaffChange
from apps.messaging.staff_log import staff_change
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
LIST = "/admin/messaging/staffchange/"
ANN, BOB = Actor("1", "Ann <ann@example.com>"), Actor("2", "Bob <bob@example.com>")


def note(alias: str, *, actor: Actor = ANN, subject="catalog.product", subject_id="7", **values):
    values = {"action": "change", "before": {"name": "Cup"}, "after": {"name": "Mug"}} | values
    with acting(lambda: actor), transaction.atomic(using=alias):
        staff_change(alias, subject=subject, subject_id=subject_id, **values)
    return StaffChange.objects.using(alias).latest("id")


def shown(client: Client, **given: str) -> list[tuple[str, int]]:
    answer = client.get(LIST, given)
    assert answer.status_code == 200
    return [(row["database"], row["change"].pk) for row in answer.context["rows"]]


def names(*rows: StaffChange) -> list[tuple[str, int]]:
    return [(staff_admin.name(row._state.db), row.pk) for row in rows]


def backdate(row: StaffChange, **ago: float) -> None:
    """The log is append-only but for maintenance."""
    alias = row._state.db
    with transaction.atomic(using=alias):
        execute(alias, "SET LOCAL holdfast.maintenance = 'on'")
        execute(
            alias,
            "UPDATE messaging_staffchange SET at = %s WHERE id = %s",
            [timezone.now() - timedelta(**ago), row.pk],
        )
        execute(alias, "SET LOCAL holdfast.maintenance = 'off'")


def test_the_list_holds_all_databases_newest_first(staff):
    rows = [note(alias) for alias in (*settings.DATABASES, *settings.DATABASES)]
    for age, row in enumerate(reversed(rows)):
        backdate(row, minutes=age)
    assert shown(staff) == names(*reversed(rows))


def test_filters_by_person_subject_and_time(staff):
    ann = note("catalog")
    bob = note("orders", actor=BOB, subject="orders.order", subject_id="9")
    old = note("default", subject="customers.user")
    backdate(ann, hours=-1)
    backdate(old, days=3)
    today, then = timezone.now().date(), timezone.now().date() - timedelta(days=3)
    for given, found in (
        ({"person": "bob@"}, [bob]),
        ({"person": "ANN"}, [ann, old]),
        ({"subject": "orders.order"}, [bob]),
        ({"subject_id": "7"}, [ann, old]),
        ({"subject": "catalog.product", "subject_id": "7"}, [ann]),
        ({"until": f"{then:%Y-%m-%d}"}, [old]),
        ({"since": f"{then:%Y-%m-%d}", "until": f"{then:%Y-%m-%d}"}, [old]),
        ({"since": f"{today + timedelta(days=2):%Y-%m-%d}"}, []),
    ):
        assert shown(staff, **given) == names(*found), given


@pytest.mark.parametrize(
    "given",
    [{"since": "soon"}, {"subject": "no.such"}, {"behind": "x|y"}, {"behind": "2026|a|1"}],
)
def test_filters_that_make_no_sense_are_left_out(staff, given):
    row = note("catalog")
    assert shown(staff, **given) == names(row)


def test_pages_go_on_where_the_last_one_ended(staff, monkeypatch):
    monkeypatch.setattr(staff_admin, "PER_PAGE", 3)
    rows = [note(alias) for alias in (*settings.DATABASES, *settings.DATABASES)]
    same = timezone.now()
    for row in rows:  # all in one moment: order and pages must still be whole
        alias = row._state.db
        with transaction.atomic(using=alias):
            execute(alias, "SET LOCAL holdfast.maintenance = 'on'")
            execute(alias, "UPDATE messaging_staffchange SET at = %s", [same])
            execute(alias, "SET LOCAL holdfast.maintenance = 'off'")
    seen, link = [], LIST
    while link:
        answer = staff.get(link)
        seen += [(row["database"], row["change"].pk) for row in answer.context["rows"]]
        link = f"{LIST}?{answer.context['older']}" if answer.context["older"] else ""
    assert (len(seen), len(set(seen))) == (8, 8)


def test_before_and_after_are_shown_side_by_side(staff):
    row = note("catalog", before={"name": "Cup", "active": True}, after={"name": "<b>Mug</b>"})
    for page in (LIST, f"{LIST}{row.pk}/change/?database=catalog"):
        text = staff.get(page).content.decode()
        assert "<del>Cup</del>" in text
        assert "<ins>&lt;b&gt;Mug&lt;/b&gt;</ins>" in text
        assert re.search(r"Active</th>\s*<td><del>yes</del></td>\s*<td>–</td>", text)


def test_the_thing_is_linked_while_it_is_there_and_may_be_seen(staff):
    product_id = shop.product()
    pk = Product.objects.get(public_id=product_id).pk
    note("catalog", subject_id=str(product_id))
    link = f"/admin/catalog/product/{pk}/change/"
    assert link in staff.get(LIST).content.decode()
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_staffchange"))
    client = Client()
    client.force_login(clerk)
    assert link not in client.get(LIST).content.decode()


def test_the_list_takes_the_same_queries_however_long_it_is(staff):
    counts = []
    for number in (1, 9):
        for _ in range(number):
            note("catalog", subject_id=str(shop.product()))
            note(
                "orders", subject="orders.order", subject_id="01970000-0000-7000-8000-00000000000a"
            )
            note("default", subject="nobody.knows")
        staff.get(LIST)
        captured = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
        for one in captured:
            one.__enter__()
        staff.get(LIST)
        for one in captured:
            one.__exit__(None, None, None)
        counts.append(sum(len(one) for one in captured))
    assert counts[0] == counts[1]
    assert counts[0] <= 12


def test_a_database_that_is_away_is_named_and_the_others_are_shown(staff, monkeypatch):
    from django.db import OperationalError

    row = note("orders")

    class Away:
        def filter(self, *args):
            raise OperationalError("away")

    manager = StaffChange.objects
    using = manager.using
    monkeypatch.setattr(
        StaffChange.objects, "using", lambda alias: Away() if alias == "catalog" else using(alias)
    )
    answer = staff.get(LIST)
    assert "catalog: the database does not answer" in answer.content.decode()
    assert [one["change"].pk for one in answer.context["rows"]] == [row.pk]


def test_history_of_a_thing_shows_what_staff_changed_of_it(staff, root):
    product_id, other = shop.product(), shop.product()
    note("catalog", subject_id=str(other), after={"name": "Other"})
    pk = Product.objects.get(public_id=product_id).pk
    with acting(lambda: ANN):
        services.product_change(product_pk=pk, version=1, changes={"name": "Best mug"})
    page = f"/admin/catalog/product/{pk}/"
    assert f"{page}history/" in staff.get(f"{page}change/").content.decode()
    text = staff.get(f"{page}history/").content.decode()
    assert "<ins>Best mug</ins>" in text
    assert "Other" not in text
    services.product_delete(product_pk=pk)
    assert staff.get(f"{page}history/").status_code == 200  # deleted things keep theirs


def test_history_is_for_those_who_may_see_the_thing():
    pk = Product.objects.get(public_id=shop.product()).pk
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert client.get(f"/admin/catalog/product/{pk}/history/").status_code == 403
    assert client.get(LIST).status_code == 403


def test_a_place_survives_being_written_down():
    place = Place(timezone.now(), "orders", 7)
    assert Place.parse(str(place)) == place
    assert Place.parse("2026-11-20T00:00:00|orders|7") is None  # without a zone
    assert Place.parse("x") is None


def test_a_page_knows_whether_there_is_more():
    for _ in range(2):
        note("catalog")
    assert staff_changes(Wanted(), databases=["catalog"], limit=2).older is None
    assert staff_changes(Wanted(), databases=["catalog"], limit=1).older is not None
