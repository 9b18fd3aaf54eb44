"""Options of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the golden manifests, `--soak` runs full matrices."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden manifests")
    parser.addoption("--soak", action="store_true", help="run the full matrices (make soak)")


def pytest_configure(config: pytest.Config) -> None:
    """The same examples in every run, so that a change is judged by the change; new ones under `--soak`."""
    hypothesis.settings.register_profile("same", derandomize=True, database=None, deadline=None)
    hypothesis.settings.register_profile("new", max_examples=2000, database=None, deadline=None)
    hypothesis.settings.load_profile("new" if config.getoption("--soak") else "same")
