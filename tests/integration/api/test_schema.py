"""The API's description of itself: valid, complete, and readable without the internet."""

import re

import orjson
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

from tests.integration.api.addresses import all_addresses

METHODS = {"get", "post", "put", "patch", "delete"}


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


def test_every_address_is_described(schema):
    assert schema["openapi"] == "3.1.0"
    described = {(path, method) for path, method, _ in operations(schema)}
    assert described == {
        ("/" + re.sub(r"<(\w+:)?(\w+)>", r"{\2}", address.route), method.lower())
        for address in all_addresses()
        for method in address.methods - {"OPTIONS", "HEAD"}
    }


def test_every_operation_says_how_it_can_fail(schema):
    for path, method, operation in operations(schema):
        expected = {"400", "401", "406", "429", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"413", "415"} if method in ("post", "put", "patch") else set()
        assert expected <= set(operation["responses"]), (path, method)
        for status, response in operation["responses"].items():
            if status >= "400":
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert response["description"]


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
