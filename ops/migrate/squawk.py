"""Run Squawk, the linter for migrations; it is a tool of the development environment, not of the image."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ops.migrate.lint import LintFinding
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = "squawk.toml"
_TIMEOUT_S = 30


def squawk(sql_dir: Path, paths: Sequence[str]) -> list[LintFinding]:
    """Findings of `paths` (relative to the folder) by the rules that its `squawk.toml` leaves in."""
    beside = Path(sys.executable).with_name("squawk")
    program = str(beside) if beside.exists() else shutil.which("squawk")
    if program is None:
        raise MigrateError(ExitCode.REFUSED, "squawk is not installed: pip install -r requirements-dev.txt")
    command = [program, "--config", CONFIG, "--reporter", "json", *paths]
    done = subprocess.run(
        command, cwd=sql_dir, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise MigrateError(ExitCode.REFUSED, f"squawk failed, it said: {said[-1]}") from None
    return [
        LintFinding(one["file"], one["line"] + 1, f"squawk {one['rule_name']}", one["message"])
        for one in found
    ]
