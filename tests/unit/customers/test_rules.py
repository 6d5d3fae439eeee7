"""What a name, an e-mail address and a postal address must look like."""

from dataclasses import replace

import pytest

from apps.common.contracts import from_builtins, to_builtins
from apps.customers.contracts import Address, Customer, Login, RegisterCustomer
from apps.customers.rules import check_text, clean_address, clean_email, country_choices

GOOD = Address(name="Ann", line1="1 High St", city="Ely", country="GB")


def test_an_address_is_trimmed_and_its_country_in_capitals():
    given = replace(GOOD, name="  Ann ", country=" gb ")

    assert clean_address(given) == (GOOD, [])


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": " "}, "name", "required"),
        ({"line1": ""}, "line1", "required"),
        ({"city": ""}, "city", "required"),
        ({"country": "XX"}, "country", "country"),
        ({"country": "GBR"}, "country", "country"),
        ({"country": ""}, "country", "country"),
        ({"name": "x" * 151}, "name", "max_length"),
        ({"line2": "x" * 201}, "line2", "max_length"),
        ({"postal_code": "x" * 21}, "postal_code", "max_length"),
        ({"city": "E\x00ly"}, "city", "unprintable"),
    ],
)
def test_each_bad_field_is_named(change, field, code):
    _, errors = clean_address(replace(GOOD, **change), "address.")

    assert [(error.field, error.code) for error in errors] == [(f"address.{field}", code)]


def test_the_longest_texts_are_fine():
    assert check_text("name", "x" * 150, 150, required=True) == []


def test_countries_are_those_of_iso_3166():
    codes = [code for code, _ in country_choices()]

    assert len(codes) == 249
    assert {"GB", "IE", "DE", "HK"} <= set(codes)


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "a b@example.com", "a@example.com\x00"])
def test_a_bad_email_is_named(email):
    _, errors = clean_email(email, "[2].email")

    assert [(error.field, error.code) for error in errors] == [("[2].email", "email")]


def test_an_email_is_kept_in_lower_case():
    assert clean_email("  Ann@Example.COM ") == ("ann@example.com", [])


def test_an_email_may_have_254_characters():
    local = "a" * 64
    domain = ".".join(["d" * 60] * 3)
    longest = f"{local}@{domain}.ex"
    assert clean_email(longest)[1] == []

    too_long = f"{local}@{domain}.{'d' * 60}.example"
    assert [error.code for error in clean_email(too_long)[1]] == ["max_length"]


@pytest.mark.parametrize(
    "contract",
    [
        GOOD,
        RegisterCustomer("ann@example.com", "Ann", GOOD),
        RegisterCustomer("ann@example.com", "Ann"),
        from_builtins(
            Customer,
            {
                "customer_id": "01970000-0000-7000-8000-000000000000",
                "email": "a@b.example",
                "name": "A",
            },
        ),
        from_builtins(
            Login,
            {
                "customer_id": "01970000-0000-7000-8000-000000000000",
                "email": "a@b.example",
                "created": True,
            },
        ),
    ],
)
def test_contracts_survive_json(contract):
    assert from_builtins(type(contract), to_builtins(contract)) == contract
