"""Nudges are hints: losing one must not lose those that follow."""

import threading

from apps.sagas.nudge import Publisher


def test_a_nudge_that_finds_no_thread_neither_fails_nor_silences_the_next(monkeypatch):
    publisher, sent = Publisher(), threading.Event()
    monkeypatch.setattr(publisher, "_send", sent.set)
    submit = publisher._thread.submit

    def refuse(work):
        monkeypatch.setattr(publisher._thread, "submit", submit)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(publisher._thread, "submit", refuse)
    publisher.nudge()
    publisher.nudge()
    assert sent.wait(5)
