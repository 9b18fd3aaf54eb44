"""The staging stack's program, run once for all tests that only look."""

from __future__ import annotations

import pytest

from tests.unit.harness import Run, run_program


@pytest.fixture(scope="session")
def run() -> Run:
    """What the committed stack file registers, with digests and secrets given."""
    return run_program()
