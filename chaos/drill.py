"""The run inside: load and faults for some minutes, then rest, then the judgement."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import traceback
from argparse import Namespace
from collections.abc import Callable
from uuid import UUID

import psycopg
import redis
from django.conf import settings

from chaos import books, event_books, goods, processes, schedule
from chaos.away import Away
from chaos.client import Client
from chaos.edits import Edits
from chaos.faults import QUEUE, Broken
from chaos.injector import Injector
from chaos.load import Load
from chaos.proxies import Link
from chaos.report import History, Report, too_rare
from chaos.staff import Staff
from project import env
from project.local.places import ROOT
from project.local.up import missing_parts

READY_SECONDS = 120.0
REST_SECONDS = 60.0  # in which everything must have ended once faults and load have stopped
# In which every event must be where it belongs: what a broker lost is looked for a minute after it
# was logged, or two after it was published, by a job that runs once a minute.
EVENTS_SECONDS = 270.0
TELL_EVERY = 5.0
KILLS_DURABLE_REDIS = ("redis", "events_broker")
FINAL_REPEATS = 300


def main(arguments: Namespace) -> int:
    stopping = threading.Event()

    def stop(*_) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        return Drill(arguments, stopping).run()
    except BaseException:  # noqa: BLE001 - whatever it is, nobody may wait for it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # buyers may still wait for a shop that is being stopped


def say(text: str) -> None:
    print(f"chaos: {text}", flush=True)


class Drill:
    """``stopping`` ends load and faults early; rest, judgement and report follow all the same."""

    def __init__(self, arguments: Namespace, stopping: threading.Event):
        self.arguments, self.stopping = arguments, stopping
        self.seed, self.minutes = arguments.seed, arguments.minutes
        only = [kind for kind in arguments.only.split(",") if kind]
        self.plan = schedule.plan(self.seed, self.minutes, only)
        self.kinds = only or list(schedule.COUNTS)
        self.history = History(arguments.inside)
        self.report = Report(self.seed, self.minutes)
        self.client = Client()
        self.away_keys: dict[UUID, str] = {}
        self.link = Link(settings.GATEWAY_URL, env.GATEWAY_PORT)

    def run(self) -> int:
        self.link.start()
        try:
            self._wait_until_ready()
            self._prepare()
            self._storm()
            self._rest()
            self._judge()
        finally:
            self.link.stop()
        self.report.weigh(self.kinds)
        self.report.write(self.arguments.inside)
        self.report.print(self.arguments.inside)
        return 0 if self.report.good else 1

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while missing := missing_parts():
            if time.monotonic() > until:
                raise RuntimeError(f"the shop does not start: {', '.join(missing)}")
            time.sleep(0.2)

    def _prepare(self) -> None:
        shelves = goods.stock_up(int(self.arguments.rate * self.minutes * 60))
        self.staff = Staff(self.client, shelves, self.seed)
        self.load = Load(self.client, shelves, self.seed, self.arguments.rate, self.staff.later)
        self.edits = Edits(self.client, shelves, self.seed)
        away = Away(shelves, self.away_keys.__setitem__, self.client.report)
        self.broken = Broken(processes.ours(), self.link, away.watch)
        self.injector = Injector(self.plan, self.broken, self.history)

    def _storm(self) -> None:
        """Load and faults until the time is over."""
        say(f"seed {self.seed}: {len(self.plan)} faults in {self.minutes:g} minutes")
        self.began = time.monotonic()
        for part in (self.load, self.staff, self.edits, self.injector):
            part.start()
        end = self.began + self.minutes * 60
        while time.monotonic() < end and not self.stopping.is_set():
            self.stopping.wait(min(TELL_EVERY, max(end - time.monotonic(), 0)))
            self._tell()
        if not self.stopping.is_set():
            self._make_up()
        self.injector.stop()
        self.load.stop()
        self.staff.stop()
        self.edits.stop()

    def _make_up(self) -> None:
        """Some faults found nothing to break because of others; load goes on for them."""
        missing = too_rare(self.history.counts, self.kinds, self.minutes)
        if missing:
            say(f"making up for {', '.join(missing)} …")
        self.injector.make_up(missing, self.seed)

    def _tell(self) -> None:
        seconds, placed = time.monotonic() - self.began, len(self.load.placed)
        try:
            runs = books.runs_by_status()
        except psycopg.Error:
            runs = {}
        faults = sum(self.history.counts.values())
        say(
            f"{seconds:4.0f} s  {placed:6,} orders ({placed / seconds:.1f}/s)"
            f"  {_runs(runs)}  {faults} faults (last: {self.history.last or 'none'})"
            f"  {len(self.client.wrong)} wrong"
        )

    def _rest(self) -> None:
        """Waits for everything to end; what has not by then is a violation."""
        began = time.monotonic()
        say("no more faults: waiting for everything to end …")
        live, last = ["?"], []
        while live and time.monotonic() - began < REST_SECONDS:
            try:
                live = books.live_runs()
            except psycopg.Error:
                pass  # still starting after the last kill
            if live:
                last = live
                time.sleep(0.1)
        self.history.tell("last to end", "; ".join(map(str, last[:5])))
        if live:
            self.report.violations += [f"did not end in {REST_SECONDS:g} s: {one}" for one in live]
        else:
            self.report.quiescence = round(time.monotonic() - began, 1)
        self._rest_of_events(began)

    def _rest_of_events(self, began: float) -> None:
        """What has not arrived by the end of it is found by the judgement."""
        told = ""
        while time.monotonic() - began < EVENTS_SECONDS:
            try:
                left = event_books.unsettled()
            except psycopg.Error as error:
                left = str(error)
            if not left:
                self.report.events_at_rest = round(time.monotonic() - began, 1)
                return
            if left != told:
                say(left)
            told = left
            time.sleep(2.0)

    def _judge(self) -> None:
        report = self.report
        until = time.monotonic() + REST_SECONDS
        while (missing := missing_parts()) and time.monotonic() < until:
            time.sleep(0.2)
        report.violations += [f"the shop is not whole again: {one}" for one in missing]
        self._repeat_some()
        accepted = {one.order_id: one.key for one in self.load.placed} | self.away_keys
        report.accepted, report.repeats = len(accepted), self.load.repeats
        report.violations += self.client.wrong
        report.violations += [f"parked: {run}" for run in books.parked_runs()]
        if report.quiescence is not None:
            report.violations += books.violations(accepted)
        self._look_at_queue()
        self._look_at_prices()
        report.events = event_books.figures()
        report.violations += event_books.violations(self.broken.poison.ids)
        self._audit()
        report.orders = dict(
            books.rows("orders", "SELECT status, count(*) FROM orders_order GROUP BY status")
        )
        report.runs, report.faults = dict(books.runs_by_status()), dict(self.history.counts)
        report.missed, report.retried = dict(self.history.missed), dict(self.client.troubles)
        report.staff = dict(self.staff.done)

    def _repeat_some(self) -> None:
        """A finished key returns the same body, also when all is over."""
        rng, placed = random.Random(self.seed), self.load.placed
        for one in rng.sample(placed, min(len(placed), FINAL_REPEATS)):
            self.load.repeat(one)

    def _look_at_queue(self) -> None:
        waiting = redis.Redis.from_url(settings.QUEUE_REDIS_URL, socket_timeout=5)
        if not _within(10, lambda: waiting.llen(QUEUE) <= 5):
            self.report.violations.append(f"{waiting.llen(QUEUE)} messages wait at rest")

    def _look_at_prices(self) -> None:
        """Edits are drained, and database and readers have the last accepted ones; those that were
        accepted just before the durable Redis died may be lost."""
        if not _within(REST_SECONDS, self.edits.drained):
            self.report.violations.append("edits of prices still wait at rest")
        deaths = [at for kind, at in self.history.times if kind in KILLS_DURABLE_REDIS]
        self.report.violations += self.edits.violations(deaths)
        self.report.prices = dict(self.edits.done)

    def _audit(self) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", "audit", "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            found = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            self.report.violations.append(f"the audit failed: {done.stderr[-500:]}")
            return
        self.report.audited = sum(check["checked"] for check in found["checks"].values())
        self.report.violations += [
            f"audit, {name}: {one}"
            for name, check in found["checks"].items()
            for one in check["ids"]
        ]


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def _runs(runs: dict[str, int]) -> str:
    live = sum(count for name, count in runs.items() if name not in books.ENDED)
    ended = ", ".join(f"{runs.get(name, 0):,} {name}" for name in books.ENDED)
    return f"{live:,} live, {ended}" if runs else "no database"
