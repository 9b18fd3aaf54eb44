"""A database that takes a connection and then says nothing keeps neither the run nor the others waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from model.check_kinds import HealthCheck
from model.check_surroundings import CatalogCheck
from model.checks import ChecksFile, render
from ops.checks.result import Exit, RunResult
from tests.checkout import CHECKOUT
from tests.checks.fake_postgres import FakePostgres
from tests.checks.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMEOUT_S, DEADLINE_S = 1, 20
LONGEST_S = 40
"""Within which a busy machine has started, asked and ended; the run itself hears nothing for ever."""


@pytest.fixture
def silent() -> Iterator[FakePostgres]:
    with FakePostgres(silent=True) as server:
        yield server


def _ended(folder: Path, database: str, **checks: Any) -> tuple[int, RunResult]:
    """Run the checks in a process of their own: only its end shows that nothing is waited for."""
    file = folder / "checks.json"
    file.write_text(render(ChecksFile(release_id="r", **checks)))
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "checks", "--from-file", str(file), "--json", "--attempts", "1",
         "--timeout", str(TIMEOUT_S), "--deadline", str(DEADLINE_S)],
        cwd=CHECKOUT, check=False, timeout=LONGEST_S, capture_output=True,
        env={"PATH": os.environ["PATH"], "ORKA_CHECK_DATABASE_URL": database},
    )  # fmt: skip
    return done.returncode, RunResult.model_validate_json(done.stdout)


def test_a_run_ends_though_the_database_says_nothing_and_reports_the_others(
    tmp_path: Path, silent: FakePostgres
) -> None:
    catalog = CatalogCheck(name="catalog", contract=str(CHECKOUT / "sql" / "contract.yaml"))
    with Hostile() as server:
        backend = HealthCheck(name="backend", url=f"{server.url}/healthy")
        code, run = _ended(tmp_path, silent.url, health=(backend,), catalog=(catalog,))
    assert silent.sessions == 1
    assert code == Exit.ERRORED
    assert {check.name: (check.verdict, check.reason) for check in run.checks} == {
        "backend": ("passed", None),
        "catalog": ("errored", "the database gave no answer in time"),
    }
    assert run.duration_ms < 1_000 * DEADLINE_S
