"""The state machine: rules that befall runs, their holders and the clock; see ``laws``."""

from collections import Counter
from itertools import count

import hypothesis.strategies as st
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.common.databases import execute
from apps.common.errors import Conflict
from apps.sagas import definition, facade
from apps.sagas.contracts import StepCall, step_key
from apps.sagas.engine.driver import drive_batch
from tests.concurrency.sagas.machine import books, laws, world
from tests.concurrency.sagas.machine.holders import INSIDE, OUTSIDE, Holder, Stop, point

# In the order they were started: a course must not depend on which of two equals comes first.
LONG_AGO = (
    "('2020-01-01'::timestamptz + split_part(business_key, ':', 2)::int * interval '1 second')"
)
QUICK = settings(derandomize=True, max_examples=30, stateful_step_count=30)
HOLDERS = 3
PEOPLE = {
    one.__name__: one
    for one in (facade.retry_run, facade.compensate_run, facade.park_run, facade.mark_step_done)
}
_examples = count()

scripts = st.fixed_dictionaries(
    {},
    optional={
        name: st.lists(st.sampled_from(said), max_size=5) for name, said in world.ANSWERS.items()
    },
)
pauses = st.builds(Stop, st.sampled_from(OUTSIDE), st.sampled_from([1, 1, 2]), st.just("pause"))
failures = st.builds(
    Stop,
    st.sampled_from(OUTSIDE),
    st.integers(1, 4),
    st.sampled_from(["die", "raise", "disconnect"]),
) | st.builds(Stop, st.sampled_from(INSIDE), st.integers(1, 4), st.sampled_from(["die", "raise"]))
which = st.integers(0, 5)


class Machine(RuleBasedStateMachine):
    seen: Counter = Counter()  # where the courses led

    def __init__(self):
        super().__init__()
        self.prefix = f"{next(_examples)}:"
        self.world = world.World(point)
        self.holders = [Holder() for _ in range(HOLDERS)]
        self.fates: dict[str, laws.Fate] = {}
        Holder.shaken = 0
        self.broken = False
        for saga in world.definitions(self.world).values():
            definition.register(saga)

    # --- what the shop does
    @initialize(told=st.lists(scripts, min_size=2, max_size=4))
    def begin(self, told):
        # What an earlier course left behind is out of the way.
        execute(
            "orders",
            "UPDATE sagas_sagarun SET status = 'failed', lease_token = 0"
            " WHERE status IN ('pending', 'in_progress', 'compensating')",
        )
        self.starts(told)

    @rule(told=st.lists(scripts, min_size=1, max_size=3), version=st.sampled_from([1, 2]))
    def start(self, told, version):
        self.starts(told, version)

    def starts(self, told, version=1):
        for script in told:
            key = f"{self.prefix}{len(self.fates)}"
            self.world.scripts |= {(key, name): list(said) for name, said in script.items()}
            with transaction.atomic(using="orders"):
                run_id = facade.start(kind=world.KIND, version=version, business_key=key)
                call = StepCall(run_id, key, step_key(run_id, 0, "F"), "", 1)
                world.write("orders", "open", call, "ok")
            self.fates[key] = laws.Fate()
        self.look()

    # --- holders
    @precondition(lambda self: any(not one.paused for one in self.holders))
    @rule(told=scripts, pause=pauses)
    def claim_and_pause(self, told, pause):
        self.starts([told])
        self.claims(pause)

    @precondition(lambda self: any(not one.paused for one in self.holders))
    @rule(told=scripts, pause=pauses, stop=st.none() | failures)
    def claim_pause_and_go_on_in_time(self, told, pause, stop):
        self.starts([told])
        holder = self.claims(pause)
        if holder.paused:
            self.resumes([one for one in self.holders if one.paused].index(holder), stop)

    @precondition(lambda self: 0 < sum(bool(one.paused) for one in self.holders) < HOLDERS)
    @rule(stop=st.none() | pauses)
    def take_over(self, stop):
        self.leases_end()
        self.claims(stop)

    @precondition(lambda self: any(not one.paused for one in self.holders))
    @rule(failure=failures)
    def claim_and_fail(self, failure):
        self.claims(failure)

    @precondition(lambda self: any(one.paused for one in self.holders))
    @rule(n=which)
    def go_on(self, n):
        self.resumes(n, None)

    @precondition(lambda self: any(one.paused for one in self.holders))
    @rule(n=which, stop=pauses | failures)
    def go_on_until(self, n, stop):
        self.resumes(n, stop)

    @precondition(lambda self: any(one.paused for one in self.holders))
    @rule(n=which, stop=st.none() | pauses)
    def is_overtaken_and_goes_on(self, n, stop):
        self.leases_end()
        drive_batch()
        self.look()
        self.resumes(n, stop)

    @precondition(lambda self: any(one.paused for one in self.holders))
    @rule(n=which)
    def die(self, n):
        before = books.read(self.prefix)
        self._paused(n).die()
        laws.nobody_else_wrote(before, self.look(), set())

    def claims(self, stop) -> Holder:
        holder = next(one for one in self.holders if not one.paused)
        before = books.read(self.prefix)
        taken = {one.row["lease_token"] for one in before.values()}
        holder.begin(drive_batch, stop)
        after = self.look()
        if holder.paused:
            tokens = {one.row["lease_token"] for one in after.values()} - taken - {0}
            holder.token = tokens.pop() if tokens else None
            assert not tokens
        return holder

    def resumes(self, n, stop):
        holder = self._paused(n)
        before = books.read(self.prefix)
        mine = {key for key, one in before.items() if one.row["lease_token"] == holder.token}
        self.seen["in time" if mine else "late"] += 1
        holder.go_on(stop)
        laws.nobody_else_wrote(before, self.look(), mine)

    @rule()
    def nudge(self):
        drive_batch()
        self.look()

    # --- time and people
    @precondition(lambda self: self.world.late)
    @rule()
    def a_late_request_arrives(self):
        self.world.bank.ask(*self.world.late.pop(0))
        self.look()

    @rule()
    def leases_end(self):
        self._sql(
            "UPDATE sagas_sagarun SET next_run_at = {0}, lease_until = {0}"
            " WHERE lease_token > 0 AND lease_until IS NOT NULL AND business_key LIKE %s"
        )

    @rule()
    def time_passes(self):
        self._sql(
            "UPDATE sagas_sagarun SET next_run_at = {0} WHERE lease_token = 0"
            " AND business_key LIKE %s"
        )

    @precondition(lambda self: self.fates)
    @rule(n=which)
    def deadline_passes(self, n):
        key, _ = self._run(n)
        self.fates[key].stopped = True
        self._sql("UPDATE sagas_sagarun SET deadline_at = {0} WHERE business_key = %s", key)

    @precondition(lambda self: self.fates)
    @rule(n=which)
    def abort(self, n):
        key, one = self._run(n)
        assert facade.request_abort(one.row["id"]) == one.live
        self.fates[key].stopped = True
        self.look()

    @precondition(lambda self: self.fates)
    @rule(n=which)
    def wake(self, n):
        _, one = self._run(n)
        with transaction.atomic(using="orders"):
            assert facade.wake(one.row["id"]) == one.live
        self.look()

    @precondition(lambda self: self.fates)
    @rule(n=which)
    def its_version_is_taken_back(self, n):
        key, one = self._run(n)
        if one.live and one.row["lease_token"] == 0:
            self.fates[key].unknown_version = True
            self._sql("UPDATE sagas_sagarun SET kind_version = 9 WHERE business_key = %s", key)

    @precondition(lambda self: self.fates)
    @rule(n=which, action=st.sampled_from(list(PEOPLE)))
    def a_person_acts(self, n, action):
        key, one = self._run(n)
        if action == "mark_step_done" and not laws.is_done(one, self.world):
            return  # people tell the truth
        before = books.read(self.prefix)
        try:
            PEOPLE[action](one.row["id"], one.row["version"], "it has to be")
        except Conflict:
            laws.nobody_else_wrote(before, self.look(), set())
            return
        fate = self.fates[key]
        fate.touched = True
        fate.stopped |= action == "compensate_run"
        fate.parked |= action == "park_run"
        self.seen["people"] += 1
        laws.nobody_else_wrote(before, self.look(), {key})

    # --- laws
    def look(self) -> dict[str, books.Books]:
        try:
            found = books.read(self.prefix)
            assert set(found) == set(self.fates)
            assert not self.world.broken, self.world.broken
            for key, one in found.items():
                fate = self.fates[key]
                fate.most_claims = max(fate.most_claims, one.row["claims"])
                version = one.row["kind_version"] if not fate.unknown_version else None
                saga = definition.lookup(world.KIND, version) if version else None
                if saga:
                    laws.of_one_run(one, saga, self.world, fate.touched)
        except AssertionError:
            self.broken = True
            raise
        return found

    def teardown(self):
        for holder in self.holders:
            holder.close()
        try:
            if not self.broken:
                self._come_to_rest()
        finally:
            for version in (1, 2):
                definition._registry.pop((world.KIND, version), None)

    def _come_to_rest(self) -> None:
        for _ in range(60):
            self.leases_end()
            self.time_passes()
            if not drive_batch():
                break
        for key, one in self.look().items():
            assert not one.live, f"{key} is {one.row['status']} for ever"
            ends = self.fates[key].ends(one, self.world, Holder.shaken)
            assert one.row["status"] in ends, f"{one.row}: only {ends}"
            self.seen[one.row["status"]] += 1

    def _run(self, n: int) -> tuple[str, books.Books]:
        return list(books.read(self.prefix).items())[n % len(self.fates)]

    def _paused(self, n: int) -> Holder:
        paused = [one for one in self.holders if one.paused]
        return paused[n % len(paused)]

    def _sql(self, sql: str, key: str = "") -> None:
        execute("orders", sql.format(LONG_AGO), [key or f"{self.prefix}%"])


def follow_courses(chosen: settings = QUICK, **words) -> None:
    """Runs the machine; raises what it finds."""
    Machine.seen.clear()
    run_state_machine_as_test(
        Machine,
        settings=settings(
            chosen,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            **words,
        ),
    )
