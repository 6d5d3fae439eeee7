"""Accepted over HTTP, paid at the gateway process, confirmed: web server and workers together;
beside a shop of django-oscar on the same machine, whose orders are neither paid nor confirmed."""

import json
import statistics
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from bench.figures import percentile
from bench.jobs import run_jobs
from bench.sagas import oscar
from bench.sagas.draining import wait_until_ended
from bench.sagas.screen import Progress
from bench.shop import Shop
from bench.work import cpu_between, moment

CLIENTS, WARM_UP = 8, 400
OSCARS_PART = 5  # of our orders are placed at oscar's: as many seconds, about
LOGIN, PASSWORD = "/_allauth/app/v1/auth/login", "bench-Weather-2718"
LAST = """
    SELECT count(*), extract(epoch FROM max(finished_at))::float8 FROM sagas_sagarun
    WHERE status = 'completed' AND finished_at >= to_timestamp(%s)
"""


def measure(shop: Shop, runs: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """Eight clients with a connection each, in turns at both shops; rates count to the last answer
    and confirmation. ``ratio`` is Holdfast's confirmed orders per second by oscar's placed ones."""
    count = max(runs // 5, CLIENTS)
    progress.say("filling oscar's shop …")
    with oscar.running(shop, CLIENTS) as theirs:
        fewer = max(count // OSCARS_PART, CLIENTS)
        peer = Peer(shop, theirs | {"count": fewer}, progress)
        ours = _ours(shop, count, rounds, progress, peer)
    rate = ours["confirmed_per_second"]
    others = medians(peer.results)
    return {
        "clients": CLIENTS,
        "orders": count,
        **ours,
        "oscar": {"orders": fewer, **others},
        "ratio": round(rate / others["placed_per_second"], 1),
    }


@dataclass
class Peer:
    """Oscar's turns."""

    shop: Shop
    job: dict[str, Any]
    progress: Progress
    results: list[dict[str, float]] = field(default_factory=list)

    def warm_up(self) -> None:
        oscar.take_orders(self.shop, self.job | {"count": min(self.job["count"], WARM_UP)})

    def turn(self) -> None:
        answer, count = oscar.take_orders(self.shop, self.job), self.job["count"]
        rate = count / (answer["ended"] - answer["began"])
        self.results.append(
            {
                "placed_per_second": rate,
                "answers_p50_ms": percentile(answer["latencies_ms"], 50),
                "answers_p99_ms": percentile(answer["latencies_ms"], 99),
                "cpu_ms_per_order": 1000 * answer["cpu_seconds"] / count,
            }
        )
        self.progress.say(f"oscar over HTTP: {rate:.0f}/s placed, neither paid nor confirmed")


def medians(results: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(one[key] for one in results), 1) for key in results[0]}


def _ours(shop: Shop, count: int, rounds: int, progress: Progress, peer: Peer) -> dict[str, float]:
    results = []
    with shop.web() as origin, shop.workers(), shop.connect("orders") as connection:
        address = urlsplit(origin)
        shared = {"host": address.hostname, "port": address.port, "tokens": _tokens(origin)}
        shared["products"] = [str(one) for one in shop.products]
        warm_up = {**shared, "prefix": "http-warm", "count": min(count, WARM_UP)}
        run_jobs("bench.sagas.clients", [warm_up], shop.environment)
        peer.warm_up()
        for number in range(rounds):
            if number % 2:
                peer.turn()
            wait_until_ended(connection)
            job = {**shared, "prefix": f"http-{number}", "count": count}
            results.append(_round(shop, connection, job))
            progress.say(
                f"over HTTP: {results[-1]['accepted_per_second']:.0f}/s accepted,"
                f" {results[-1]['confirmed_per_second']:.0f}/s confirmed"
            )
            if not number % 2:
                peer.turn()
    return medians(results)


def _round(shop: Shop, connection: Any, job: dict) -> dict[str, float]:
    before = moment(connection)
    [answer] = run_jobs("bench.sagas.clients", [job], shop.environment)
    wait_until_ended(connection)
    cpu = cpu_between(before, moment(connection))
    if set(answer["statuses"]) != {"202"}:
        raise SystemExit(f"the shop answered {answer['statuses']}")
    confirmed, last = connection.execute(LAST, [answer["began"]]).fetchone()
    if confirmed < job["count"]:
        raise SystemExit(f"{confirmed} of {job['count']} orders were confirmed")
    return {
        "accepted_per_second": job["count"] / (answer["ended"] - answer["began"]),
        "confirmed_per_second": job["count"] / (last - answer["began"]),
        "answer_p50_ms": percentile(answer["latencies_ms"], 50),
        "answer_p99_ms": percentile(answer["latencies_ms"], 99),
        "cpu_ms_per_order": 1000 * sum(cpu.values()) / job["count"],
    }


def _tokens(origin: str) -> list[str]:
    """A token for each client, as an app gets one."""
    from apps.customers import facade as customers

    emails = [f"client-{number}@example.com" for number in range(CLIENTS)]
    for email in emails:
        customers.create_login(email, "Client", PASSWORD, staff=False)
    return [_log_in(f"{origin}{LOGIN}", email) for email in emails]


def _log_in(url: str, email: str) -> str:
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    request = Request(url, body, {"Content-Type": "application/json"})
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)["meta"]["session_token"]
