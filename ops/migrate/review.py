"""What a reviewer wants to know of the migrations: `python -m ops.migrate.review` writes `sql/review.yaml`.

The program shows it in its preview, where neither Squawk nor a database is at hand; a test keeps it current.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from model.plan import REVIEW, load_plan
from ops.migrate import lint, lock_class
from ops.migrate.squawk import squawk
from ops.migrate.statements import split

_HEAD = (
    "# By `python -m ops.migrate.review`; the preview shows it. Locks: on tables that were there before.\n"
)


def review(sql_dir: Path) -> dict[str, dict[str, Any]]:
    """By version: name, checksum, number of statements, locks and lint findings."""
    plan = load_plan(sql_dir)
    result = {}
    for migration in plan.migrations:
        # Not down.sql, which is there to drop, nor the way for tables made by hand, which swaps them.
        paths = [step.path for step in migration.steps]
        found = [finding for path in paths for finding in lint.lint(path, plan.files[path])]
        found += squawk(sql_dir, paths)
        steps = [split(plan.files[path]) for path in paths]
        result[migration.version] = {
            "name": migration.name,
            "sha256": migration.sha256,
            "statements": sum(map(len, steps)),
            "locks": sorted({lock for step in steps for lock in lock_class.locks(step)}),
            "lint": [str(finding) for finding in found],
        }
        if migration.incompatible_with_older:
            result[migration.version]["incompatible_with_older"] = migration.incompatible_with_older
    return result


def as_yaml(reviewed: dict[str, dict[str, Any]]) -> str:
    """The text of the file."""
    return _HEAD + yaml.safe_dump(reviewed, sort_keys=False, width=110)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "sql")
    (folder / REVIEW).write_text(as_yaml(review(folder)), encoding="utf-8")
