"""A stop just before or just after a commit loses nothing and doubles nothing."""

import pytest

from apps.catalog import facade
from apps.common import failpoints
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


@pytest.fixture
def stop_at(monkeypatch):
    def arm(name: str) -> None:
        monkeypatch.setattr(failpoints, "_armed", failpoints.Armed.parse(f"{name}:1:raise"))

    return arm


@pytest.mark.parametrize("where", ["before_commit", "after_commit"])
@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ("reserve", (10, 0), (10, 4)),
        ("release", (10, 4), (10, 0)),
        ("dispatch", (10, 4), (6, 0)),
        ("return", (10, 0), (14, 0)),
    ],
)
def test_a_repeat_after_a_stop_ends_with_the_same_books(stop_at, step, before, after, where):
    cup = shop.product(10)
    command = shop.reserve((cup, 4))
    if step == "reserve":
        repeat = [command]
    elif step == "return":
        repeat = [shop.give_back((cup, 4))]
    else:
        facade.reserve_stock([command])
        repeat = [shop.release(command) if step == "release" else shop.dispatch(command)]
    run = getattr(facade, f"{step}_stock")
    stop_at(f"catalog.{step}.{where}")
    with pytest.raises(failpoints.FailpointReached):
        run(repeat)
    assert shop.levels(cup) == (before if where == "before_commit" else after)
    first = run(repeat)
    assert first == run(repeat)
    assert shop.levels(cup) == after
    assert facade.audit_stock() == []
