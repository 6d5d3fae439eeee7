"""Contracts of events: all there, told word by word, and never changed once they are released.

A golden file is an event of one version as it was written when that version was new; write those
of new ones by ``manage.py event_docs --examples tests/golden/events``, and never again.
"""

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from apps.common.contracts import decoder, encode
from apps.messaging.contracts import Envelope, EventContract, all_contracts, find_contract
from apps.messaging.documentation import document, example, schema
from apps.messaging.documentation.fields import rows
from apps.messaging.groups import ConsumerGroup, all_groups

GOLDEN = settings.BASE_DIR / "tests" / "golden" / "events"
TOPICS = {
    *("customer.created", "customer.updated", "customer.deleted", "customer.restored"),
    *("product.created", "product.updated", "product.deleted", "product.restored"),
    *("category.created", "category.updated", "category.deleted"),
    *("order.placed", "order.confirmed", "order.shipped", "order.delivered", "order.cancelled"),
    *("payment.authorized", "payment.captured", "payment.failed", "payment.voided"),
    "payment.refunded",
    *("stock.reserved", "stock.rejected", "stock.released"),
    *("stock.adjusted", "stock.depleted", "stock.restocked"),
    *("shipment.scheduled", "shipment.failed", "shipment.dispatched", "shipment.delivered"),
    *("shipment.cancelled", "checkout.timed_out"),
}


@dataclass(frozen=True, slots=True)
class Weighed:
    """A parcel on the scales.

    Attributes:
        parcel_id: Which one.
        grams: How much it weighs,
            without the pallet.
    """

    parcel_id: UUID
    grams: int
    note: str | None = None


WEIGHED = EventContract("parcel.weighed", 2, Weighed, "A parcel was weighed.")


def name_of(contract: EventContract) -> str:
    return f"{contract.topic}.v{contract.version}"


def changed(golden: str, contract: EventContract) -> str | None:
    """What is not today as it was when the golden file was written; None if nothing."""
    envelope = msgspec.json.decode(golden, type=Envelope)
    try:
        payload = decoder(contract.payload).decode(envelope.payload)
        Draft202012Validator(schema(contract)).validate(json.loads(golden))
    except (msgspec.DecodeError, ValidationError) as error:
        return str(error)
    told = json.loads(encode(payload))
    was = json.loads(golden)["payload"]
    return None if told == was and list(told) == list(was) else f"{was} is {told} today"


# --- what there is --------------------------------------------------------------------------------
def test_every_topic_is_there():
    assert TOPICS - {one.topic for one in all_contracts()} == set()


def test_each_version_of_an_event_has_a_golden_file_and_none_has_gone():
    """Write the missing by ``manage.py event_docs --examples tests/golden/events``."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(map(name_of, all_contracts()))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_a_released_version_is_what_it_was(path):
    topic, _, version = path.stem.rpartition(".v")
    assert changed(path.read_text(), find_contract(topic, int(version))) is None


def test_each_field_has_a_meaning_and_each_event_a_sentence():
    silent = [
        f"{name_of(one)} {row.name}"
        for one in all_contracts()
        for row in rows(one.payload)
        if not row.meaning.endswith(".")
    ]
    assert silent == []
    assert [name_of(one) for one in all_contracts() if not one.summary.endswith(".")] == []


# --- the guard itself -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Renamed:
    parcel_id: UUID
    weight: int
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Retyped:
    parcel_id: UUID
    grams: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    parcel_id: UUID
    grams: int
    note: str | None = None
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Shrunk:
    parcel_id: UUID
    grams: int


@pytest.mark.parametrize("payload", [Renamed, Retyped, Grown, Shrunk])
def test_a_silent_change_of_a_version_is_noticed(payload):
    golden = example(WEIGHED).decode()
    assert changed(golden, WEIGHED) is None
    assert changed(golden, EventContract("parcel.weighed", 2, payload, "Changed.")) is not None


# --- documents ------------------------------------------------------------------------------------
def test_the_documents_are_not_stale():
    call_command("event_docs", check=True)


def test_stale_documents_are_noticed_and_written_anew(tmp_path):
    def write() -> None:
        call_command("event_docs", directory=tmp_path, stdout=StringIO())

    write()
    for spoil in (
        lambda: (tmp_path / "events.md").write_text("Old."),
        lambda: (tmp_path / "schemas" / "order.placed.v1.json").unlink(),
        lambda: (tmp_path / "schemas" / "order.dreamt.v1.json").write_text("{}"),
    ):
        spoil()
        with pytest.raises(CommandError, match="stale"):
            call_command("event_docs", directory=tmp_path, check=True)
        write()
        call_command("event_docs", directory=tmp_path, check=True)


def test_examples_are_written_once(tmp_path: Path):
    first = tmp_path / "order.placed.v1.json"
    first.write_text("{}")
    call_command("event_docs", examples=tmp_path, stdout=StringIO())
    assert first.read_text() == "{}"
    assert len(list(tmp_path.glob("*.json"))) == len(all_contracts())


def test_the_document_tells_of_fields_types_and_readers():
    reader = ConsumerGroup("scales", "orders", ("parcel.*",), lambda events: None)
    text = document([WEIGHED], [*all_groups(), reader])
    assert "| [`parcel.weighed`](#parcelweighed-version-2) | 2 | parcel |" in text
    assert "| `scales` | orders | `parcel.*` |" in text
    assert "A parcel was weighed. Aggregate: `parcel:<id>`. Read by `archive`, `scales`." in text
    assert "| `grams` | integer | How much it weighs, without the pallet. |" in text
    assert "| `note` | text, or null, may be missing |  |" in text


def test_a_schema_is_of_the_whole_message():
    told = schema(WEIGHED)
    assert told["properties"]["topic"] == {"const": "parcel.weighed"}
    assert told["properties"]["schema_version"] == {"const": 2}
    assert told["$defs"]["Weighed"]["required"] == ["parcel_id", "grams"]
    assert told["$defs"]["Weighed"]["description"] == "A parcel on the scales."
    other = json.loads(example(WEIGHED)) | {"schema_version": 1}
    with pytest.raises(ValidationError):
        Draft202012Validator(told).validate(other)
