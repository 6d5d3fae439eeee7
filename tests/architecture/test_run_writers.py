"""Only ``apps/sagas/engine`` writes the state of runs, through four modules."""

import pytest

from tests.architecture.writers import ROOT, Scan

ROOM = ROOT / "apps" / "sagas" / "engine"
RUNS = Scan(
    models=frozenset({"SagaRun", "SagaStep", "SagaLogEntry"}),
    tables="sagas_saga(?:run|step|logentry)",
    columns=frozenset({"lease_token", "lease_until", "next_run_at", "abort_requested", "claims"}),
)


def test_only_the_engine_writes_runs():
    assert RUNS.offenders(ROOM) == []


def test_inside_the_engine_four_modules_have_the_sql():
    writers = {
        path.name
        for path in ROOM.rglob("*.py")
        if any(RUNS._sql(line) for line in path.read_text().splitlines())
    }
    assert writers == {"choreography.py", "store.py", "leases.py", "repair.py"}


@pytest.mark.parametrize(
    "offender",
    [
        'cursor.execute("UPDATE sagas_sagarun SET status = 1")',
        "SagaRun.objects.filter(pk=1).update(status='failed')",
        "SagaLogEntry.objects.create(run=run)",
        "run.lease_token = 0",
    ],
)
def test_the_scan_finds_a_planted_offender(offender):
    assert RUNS.writes_in(f"def innocent():\n    {offender}\n") != []
