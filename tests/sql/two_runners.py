"""Two runners at once, as two migration Jobs would be."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.sql.support import SQL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sql.support import Database


def start(database: Database, sql_dir: Path, *arguments: str) -> list[subprocess.Popen[str]]:
    """Begin `ops migrate apply --json ARGUMENTS` twice."""
    command = [sys.executable, "-m", "ops.cli", "migrate", "apply", "--json", "--sql-dir", str(sql_dir)]
    environ = {**os.environ, "DATABASE_URL": database.admin_url, "TERMINATION_LOG": os.devnull}
    return [
        subprocess.Popen(
            [*command, *arguments], env=environ, cwd=SQL.parent, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]


def results(runners: list[subprocess.Popen[str]], version: str, seconds: float) -> list[bool]:
    """Whether each has applied that version, the one that has not first; both must end well."""
    printed = [runner.communicate(timeout=seconds)[0] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0], printed
    return sorted(f'"applied": ["{version}"]' in one for one in printed)
