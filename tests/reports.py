"""Lets pytest-xdist carry what a test logged, whatever that was."""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Escapes lone surrogates in captured output: no encoding can send them to the controller."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report
