"""The embedded Redis: a durable instance for queues and a bounded one for the cache."""

import signal
from pathlib import Path

import redis

from project.local.places import Places
from project.local.programs import redis_program
from project.local.supervisor import Service

COMMON = """\
port 0
unixsocketperm 700
daemonize no
databases 64
always-show-logo no
save ""
"""
# Ex: tells the carts' listener of keys that expired.
DURABLE = COMMON + (
    "appendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\nnotify-keyspace-events Ex\n"
)
CACHE = COMMON + "appendonly no\nmaxmemory 256mb\nmaxmemory-policy allkeys-lfu\n"


class RedisServer:
    """One instance: ``redis-durable`` or ``redis-cache``."""

    def __init__(self, places: Places, name: str):
        self.name = name
        self.home = places.var / name
        self.durable = name == "redis-durable"
        self.socket = places.redis_durable if self.durable else places.redis_cache
        self.program = redis_program()

    def prepare(self) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = DURABLE if self.durable else CACHE
        text += f"unixsocket {_quoted(self.socket)}\ndir {_quoted(self.home)}\n"
        (self.home / "redis.conf").write_text(text)

    def service(self) -> Service:
        return Service(
            name=self.name,
            command=[str(self.program), str(self.home / "redis.conf")],
            stop=((signal.SIGTERM, 20),),
        )

    def is_ready(self) -> bool:
        """Whether it answers; while it loads its file it does not yet."""
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()


def _quoted(path: Path) -> str:
    """A path as redis.conf reads it."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
