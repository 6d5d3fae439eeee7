"""A RabbitMQ node among the servers of the run, supervised as they are."""

import time

from project import env
from project.local.errors import Trouble
from project.local.rabbitmq_server import SECONDS, RabbitNode
from project.local.supervisor import Service, Supervisor


def start(supervisor: Supervisor) -> RabbitNode:
    """Returns once it answers; ``EVENTS_URL`` is its own from then on. Raises ``Trouble``."""
    node = RabbitNode(env.PLACES.var / "rabbitmq")
    command, environment = node.prepare()
    supervisor.start(Service("rabbitmq", command, environment=environment))
    until = time.monotonic() + SECONDS
    if not supervisor.wait_until(node.answers, SECONDS) and time.monotonic() > until:
        raise Trouble(f"RabbitMQ did not start: see {env.PLACES.logs / 'rabbitmq.log'}")
    supervisor.environment["EVENTS_URL"] = node.url()
    return node
