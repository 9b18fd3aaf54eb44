"""Options of all tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` rewrites the golden manifests, `--soak` runs full matrices."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden manifests")
    parser.addoption("--soak", action="store_true", help="run the full matrices (make soak)")
