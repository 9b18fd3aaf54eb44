"""Options of all tests."""

from __future__ import annotations

import hypothesis
import pytest

from tests import broken_releases


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the golden manifests, `--soak` runs full matrices."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden manifests")
    parser.addoption("--soak", action="store_true", help="run the full matrices (make soak)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked `soak("why")` before any of its fixtures is made, unless it is a soak."""
    if config.getoption("--soak"):
        return
    for item in items:
        for mark in item.iter_markers("soak"):
            item.add_marker(pytest.mark.skip(reason=f"{mark.args[0]}: make soak"))


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in every run, so that a change is judged by the change; new ones under `--soak`."""
    config.addinivalue_line("markers", "soak(why): run under --soak alone")
    hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
    hypothesis.settings.register_profile("new", max_examples=2000, database=None, deadline=None)
    hypothesis.settings.load_profile("new" if config.getoption("--soak") else "same")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The matrix of broken releases as a table, whichever process ran each."""
    broken_releases.show(terminalreporter)
