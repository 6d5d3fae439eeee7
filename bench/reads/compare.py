"""The measurements: alternating rounds against Holdfast and its peers, then Holdfast by itself."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from bench.reads import catalogue
from bench.reads.load import Load
from bench.reads.servers import Server, ours, peer
from bench.replay import ROOT
from bench.screen import Progress
from bench.shop import Shop

PEERS = ("drf_redis", "cacheops")
CHANGES = 0.01
WRITE_BEHIND = "?mode=write-behind"
WARM_UP_SECONDS = 2
LIST = "/api/v1/products?limit=20"
# Redis is asked for each read; Django answers each read.
VARIANTS = {
    "without_l1": {"CACHE_POLICIES": '{"catalog.product": {"local": null}}'},
    "without_lane": {"FAST_LANE": "0"},
}


@dataclass
class Bench:
    """What all parts need."""

    shop: Shop
    sold: Mapping[str, int]
    rounds: int
    seconds: float
    progress: Progress
    directory: Path

    @property
    def product(self) -> str:
        return f"/api/v1/products/{next(iter(self.sold))}"

    def requests(self, name: str, lines: list[str]) -> Path:
        path = self.directory / name
        path.write_text("\n".join(lines) + "\n")
        return path

    def warm_up(self, server: Server, load: Load) -> None:
        """Every product once, so that no cache has to be filled any more; then a little load."""
        connection = HTTPConnection(urlsplit(server.origin).netloc, timeout=20)
        for product_id in self.sold:
            connection.request("GET", f"/api/v1/products/{product_id}")
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"{server.origin} answered {answer.status}")
        connection.close()
        load.run(server.origin, server.process, WARM_UP_SECONDS)

    def run(self, name: str, server: Server, load: Load) -> dict[str, Any]:
        found = load.run(server.origin, server.process, self.seconds)
        self.progress.say(
            f"{name}: {found['per_second']:,.0f}/s, p99 {found['p99_ms']:.1f} ms,"
            f" {found['cpu_us']:.0f} µs of processor each"
        )
        if found["failed"]:
            raise SystemExit(f"{name}: {found['failed']} of {found['requests']} requests failed")
        return found


def measure(bench: Bench, parts: list[str]) -> dict[str, Any]:
    """The figures of the wanted parts, by name."""
    reads = Load(bench.requests("reads", catalogue.requests(bench.sold)))
    found: dict[str, Any] = {}
    with all_servers(bench) as servers:
        for server in servers.values():
            bench.warm_up(server, reads)
        if "reads" in parts:
            found["reads"] = rounds(bench, servers, dict.fromkeys(servers, reads))
        if "changes" in parts:
            found["changes"] = changes(bench, servers)
        mine = servers["holdfast"]
        if "latency" in parts:
            found["half_load"] = half_load(bench, mine, reads)
            closing = Load(reads.requests, close=True)
            found["without_keep_alive"] = summary([bench.run("a connection each", mine, closing)])
        if "list" in parts:
            found["list"] = list_page(bench, mine)
    for name, variables in VARIANTS.items():
        if name in parts:
            with ours(bench.shop, bench.product, name, **variables) as server:
                bench.warm_up(server, reads)
                found[name] = summary([bench.run(name.replace("_", " "), server, reads)])
    return found


@contextmanager
def all_servers(bench: Bench) -> Iterator[dict[str, Server]]:
    """Holdfast's and the peers', all running."""
    with ExitStack() as stack:
        servers = {"holdfast": stack.enter_context(ours(bench.shop, bench.product))}
        for name in PEERS:
            servers[name] = stack.enter_context(peer(bench.shop, bench.product, name))
        yield servers


def rounds(bench: Bench, servers: Mapping[str, Server], loads: Mapping[str, Load]) -> dict:
    """Each in turn, the first one another each round; medians."""
    results: dict[str, list[dict]] = {name: [] for name in loads}
    order = list(loads)
    for number in range(bench.rounds):
        for name in order[number % len(order) :] + order[: number % len(order)]:
            results[name].append(bench.run(name, servers[name], loads[name]))
    return {name: summary(runs) for name, runs in results.items()}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The middle of each figure."""
    names = {"per_second": 0, "p50_ms": 2, "p99_ms": 2, "cpu_us": 0}
    found = {
        name: round(median(run[name] for run in runs), digits) for name, digits in names.items()
    }
    return found | {"rounds": [round(run["per_second"]) for run in runs]}


def changes(bench: Bench, servers: Mapping[str, Server]) -> dict[str, Any]:
    """One request in a hundred changes a price, of the same products; Holdfast's by write-behind,
    with a worker that carries them to the database meanwhile."""
    token = staff_token(servers["holdfast"].origin)
    mine = catalogue.requests(bench.sold, change=CHANGES, mode=WRITE_BEHIND)
    theirs = bench.requests("changes", catalogue.requests(bench.sold, change=CHANGES))
    loads = {name: Load(theirs) for name in servers}
    loads["holdfast"] = Load(bench.requests("changes-behind", mine), token)
    with bench.shop.workers(1):
        return rounds(bench, servers, loads)


def half_load(bench: Bench, server: Server, reads: Load) -> dict[str, Any]:
    """Latencies at half of what was answered at most, with pauses of random length."""
    most = bench.run("full load", server, reads)["per_second"]
    found = bench.run("half load", server, Load(reads.requests, per_second=most / 2))
    return summary([found]) | {"of": round(found["per_second"] / most, 2)}


def list_page(bench: Bench, server: Server) -> dict[str, Any]:
    """A page of twenty by name: requests per second, and queries with and without the cache."""
    lines = Load(bench.requests("list", [f"GET\t{LIST}\t"]))
    lines.run(server.origin, server.process, WARM_UP_SECONDS)
    found = summary([bench.run("list of 20", server, lines)])
    command = [sys.executable, "-m", "bench.reads.queries", LIST]
    done = subprocess.run(
        command, env=bench.shop.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"the list's queries could not be counted:\n{done.stderr[-2000:]}")
    return found | json.loads(done.stdout.splitlines()[-1])


def staff_token(origin: str) -> str:
    """The session token of a member of staff who may do everything."""
    from apps.customers import facade as customers

    email, password = "reads@example.com", os.urandom(12).hex()
    customers.create_login(email, "Reads", password, staff=True)
    body = json.dumps({"email": email, "password": password}).encode()
    url = f"{origin}/_allauth/app/v1/auth/login"
    request = Request(url, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)["meta"]["session_token"]
