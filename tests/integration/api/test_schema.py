"""The API's description of itself: valid, complete, and readable without the internet."""

import re
from pathlib import Path

import orjson
import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.urls import resolve
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.integration.api.addresses import all_addresses

METHODS = {"get", "post", "put", "patch", "delete"}
ACCOUNT = "/_allauth/"
CHECKED_IN = Path(__file__).parents[3] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """The schema as the command writes it; an invalid one or a warning fails here."""
    file = tmp_path_factory.mktemp("schema") / "schema.json"
    options = {"validate": True, "fail_on_warn": True, "format": "openapi-json"}
    call_command("spectacular", file=str(file), **options)
    return orjson.loads(file.read_bytes())


def operations(schema):
    return [
        (path, method, operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def resolved(schema, node):
    """``node``, or the component that it refers to."""
    reference = node.get("$ref")
    if reference is None:
        return node
    _, kind, name = reference.removeprefix("#/").split("/")
    return schema["components"][kind][name]


def test_the_checked_in_document_is_current(schema):
    assert yaml.safe_load(CHECKED_IN.read_text()) == schema, "run: make schema"


def test_every_address_is_described(schema):
    assert schema["openapi"] == "3.1.0"
    described = {
        (path, method) for path, method, _ in operations(schema) if not path.startswith(ACCOUNT)
    }
    assert described == {
        ("/" + re.sub(r"<(\w+:)?(\w+)>", r"{\2}", address.route), method.lower())
        for address in all_addresses()
        for method in address.methods - {"OPTIONS", "HEAD"}
    }


def test_every_account_address_leads_to_an_open_flow(schema):
    paths = {path for path, *_ in operations(schema) if path.startswith(ACCOUNT)}
    assert len(paths) >= 10
    for path in paths:
        assert resolve(path).func.__name__ != "Closed", path


def test_operations_have_names_of_their_own(schema):
    names = [operation["operationId"] for *_, operation in operations(schema)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(schema):
        assert re.fullmatch("[a-z][a-z_]+", operation["operationId"]), (path, method)
        assert operation["summary"], (path, method)
        assert "security" in operation, (path, method)


def test_every_operation_says_how_it_can_fail(schema):
    for path, method, operation in operations(schema):
        account = path.startswith(ACCOUNT)
        expected = {"429", "500", "503"} if account else {"400", "401", "406", "429", "500", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"413"} if "requestBody" in operation else set()
        expected |= {"415"} if "requestBody" in operation and not account else set()
        assert expected <= set(operation["responses"]), (path, method)
        for status, response in operation["responses"].items():
            response = resolved(schema, response)
            assert response["description"], (path, method, status)
            assert "X-Request-ID" in response["headers"], (path, method, status)
            if status >= "400" and not account:
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            if status in ("429", "503"):
                assert "Retry-After" in response["headers"], (path, method, status)


def bodies(schema):
    """Where, and what: every body and answer with a content."""
    for path, method, operation in operations(schema):
        parts = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for name, part in parts.items():
            for media in resolved(schema, part).get("content", {}).values():
                yield f"{method} {path} {name}", media


def test_every_body_and_answer_has_an_example_that_fits(schema):
    document = DRAFT202012.create_resource(schema)
    registry = Registry().with_resource("urn:schema", document)
    seen = 0
    for where, media in bodies(schema):
        inner = orjson.loads(orjson.dumps(media["schema"]).replace(b'"#/', b'"urn:schema#/'))
        validator = Draft202012Validator(inner, registry=registry)
        examples = [one["value"] for one in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        assert examples, where
        for example in examples:
            assert [e.message for e in validator.iter_errors(example)] == [], where
            seen += 1
    assert seen > 100


def test_every_operation_has_a_tag_that_is_explained(schema):
    explained = {tag["name"] for tag in schema["tags"]}
    assert {tag for *_, operation in operations(schema) for tag in operation["tags"]} <= explained


def test_an_operation_that_needs_a_key_says_so(schema):
    placing = schema["paths"]["/api/v1/orders"]["post"]
    keys = [p for p in placing["parameters"] if p["name"] == "Idempotency-Key"]
    assert [key["required"] for key in keys] == [True]
    assert {"409", "422"} <= set(placing["responses"])
    assert {"sessionToken": []} in placing["security"]


def test_bodies_admit_no_unknown_field(schema):
    schemas = schema["components"]["schemas"]
    assert schemas["PlaceOrderInputRequest"]["additionalProperties"] is False
    assert set(schemas["Money"]["properties"]) == {"amount", "currency"}


def test_the_schema_is_open_to_everybody(client):
    response = client.get("/api/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    assert response.json()["info"]["title"] == "Holdfast"


@pytest.mark.parametrize("address", ["/api/docs", "/api/redoc"])
def test_the_documents_need_nothing_from_elsewhere(client, address):
    response = client.get(address)
    assert response.status_code == 200
    html = response.content.decode()
    assets = re.findall(r'(?:src|href)="([^"#]+\.(?:js|css|png))"', html)
    assert assets
    for asset in assets:
        if asset.startswith("/static/"):
            assert finders.find(asset.removeprefix("/static/")), asset
        else:
            assert client.get(asset).status_code == 200, asset


@pytest.mark.parametrize("address", ["/api/schema", "/api/docs", "/api/redoc"])
def test_the_documents_fail_as_the_rest_of_the_api_does(client, address):
    response = client.post(address)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
