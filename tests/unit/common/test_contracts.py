"""Every contract of every app survives the trip through JSON."""

import dataclasses
import importlib
import inspect
import pkgutil
import typing
from decimal import Decimal
from importlib.util import find_spec

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

import apps
from apps.common.contracts import from_builtins, request_hash, to_builtins

MONEY = st.builds(
    Money,
    st.decimals(Decimal(0), Decimal(10**9), places=2),
    st.sampled_from(["GBP", "EUR", "USD"]),
)
st.register_type_strategy(Money, MONEY)
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
JSON = st.dictionaries(st.text(max_size=5), st.integers(-9, 9), max_size=2)


def mappings(kind) -> st.SearchStrategy:
    """``dict[str, Any]`` holds JSON; other mappings what they say."""
    key, value = typing.get_args(kind)
    if value is typing.Any:
        return JSON
    return st.dictionaries(st.from_type(key), st.from_type(value), max_size=2)


st.register_type_strategy(dict, mappings)


def contracts() -> list[type]:
    """The frozen dataclasses of all ``contracts`` modules but that of messaging: those are about
    contracts."""
    found = []
    names = {app.name for app in pkgutil.iter_modules(apps.__path__)} - {"messaging"}
    for name in sorted(names):
        if find_spec(f"apps.{name}.contracts") is None:
            continue
        module = importlib.import_module(f"apps.{name}.contracts")
        found += [
            one
            for _, one in inspect.getmembers(module, dataclasses.is_dataclass)
            if one.__module__ == module.__name__
        ]
    return found


def test_contracts_are_frozen():
    assert len(contracts()) > 30
    assert [one.__name__ for one in contracts() if not one.__dataclass_params__.frozen] == []


@pytest.mark.parametrize("kind", contracts(), ids=lambda one: one.__name__)
@settings(max_examples=5, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_contract_round_trips_through_json(kind, data):
    one = data.draw(st.builds(kind))
    raw = orjson.dumps(to_builtins(one))
    again = from_builtins(kind, orjson.loads(raw))
    assert again == one
    assert request_hash(again) == request_hash(one)
