"""The embedded servers of one ``var`` directory, as far as no URL replaces them."""

from project import env
from project.local.errors import Trouble
from project.local.places import Places, make_private
from project.local.postgres import Postgres
from project.local.redis_server import RedisServer
from project.local.supervisor import Supervisor

REDIS = (("redis-durable", "QUEUE_REDIS_URL"), ("redis-cache", "CACHE_URL"))
START_SECONDS = 60  # a crashed cluster replays its log first


class Servers:
    """PostgreSQL and two Redis; those that are configured elsewhere are left out."""

    def __init__(self, places: Places, throwaway: bool = False):
        self.places = places
        self.postgres = Postgres(places, throwaway) if env.embedded_databases() else None
        self.redis = [
            RedisServer(places, name)
            for name, variable in (
                ("redis-durable", "QUEUE_REDIS_URL"),
                ("redis-cache", "CACHE_URL"),
            )
            if not env.is_set(variable)
        ]

    def start(self, supervisor: Supervisor) -> None:
        """Starts them below ``supervisor`` and returns when they answer; raises ``Trouble``."""
        make_private(self.places.sockets, self.places.mode)
        parts = [part for part in (self.postgres, *self.redis) if part is not None]
        for part in parts:
            part.prepare()
        supervisor.start(*(part.service() for part in parts))
        for part in parts:
            if not supervisor.wait_until(part.is_ready, START_SECONDS):
                name = part.service().name
                raise Trouble(f"{name} does not answer: see {self.places.logs / name}.log")
        if self.postgres:
            self.postgres.create_databases()
