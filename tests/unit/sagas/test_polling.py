"""The poller goes on whatever it meets."""

import threading

from apps.sagas import polling


def test_the_poller_outlives_an_error_that_nobody_thought_of(monkeypatch):
    answers = iter([RuntimeError("odd"), True])
    nudged = threading.Event()

    def any_due() -> bool:
        answer = next(answers, False)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(polling.leases, "any_due", any_due)
    monkeypatch.setattr(polling, "nudge", nudged.set)
    poller = polling.poller(every=0.001)
    poller.start()
    try:
        assert nudged.wait(5)
    finally:
        poller.stop()
