"""Schemathesis attacks every operation of the schema as everybody: nothing breaks, and nothing is
answered that the schema does not say."""

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.management import call_command
from schemathesis.config import SchemathesisConfig

from apps.customers.models import User
from project.wsgi import application
from tests.integration.api.attack import METHODICAL, RANDOM, Attack, in_this_transaction

SEED = 20_261_120
REQUESTS = 10_000  # in all
ACTORS = ("anonymous", "customer", "staff")
PARTS = 2
PASSWORD = "a-long-and-quiet-password"
SHARE = REQUESTS // (len(ACTORS) * PARTS) + 1

pytestmark = pytest.mark.django_db(databases=list(django_settings.DATABASES))


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    file = tmp_path_factory.mktemp("schema") / "schema.json"
    call_command("spectacular", file=str(file), format="openapi-json")
    loaded = schemathesis.openapi.from_path(str(file), config=SchemathesisConfig(seed=SEED))
    loaded.app = application
    return loaded


@pytest.fixture
def attack(request, a_shop, settings):
    """An attack of the actor that the test names, on a shop with a customer and an order."""
    settings.API_MAX_WAIT_SECONDS = settings.READ_MODEL_WAIT_SECONDS = 0
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ACCOUNT_RATE_LIMITS = False
    a_shop.user.set_password(PASSWORD)
    a_shop.user.save()
    users = {
        "anonymous": lambda: None,
        "customer": lambda: a_shop.user,
        "staff": lambda: User.objects.create_superuser(email="root@example.com", name="Root"),
    }
    known = {**a_shop.parameters, "product_id": a_shop.product_id}
    with in_this_transaction():
        user = users[request.param]()
        yield Attack(user, {name: str(value) for name, value in known.items()}, SEED)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("attack", ACTORS, indirect=True)
def test_the_schema_holds(schema, attack, part):
    operations = [result.ok() for result in schema.get_all_operations()][part::PARTS]
    for operation in operations:
        # Nobody gets further than the door where a login is needed.
        at_the_door = attack.user is None and {} not in (
            operation.definition.raw.get("security") or [{}]
        )
        attack.run(operation, modes=RANDOM if at_the_door else METHODICAL, fuzzing=8)
    while attack.requests < SHARE:
        attack.seed += 1
        for operation in operations:
            attack.run(operation, fuzzing=8)
    assert attack.requests >= SHARE
    assert not attack.failures, "\n".join(attack.failures.values())
