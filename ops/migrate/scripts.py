"""The statements of every step, read and checked before the first change. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.statements import (
    Statement,
    StatementError,
    require_batch,
    require_concurrent,
    require_one_transaction,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.plan import Kind, Plan

# A step may take in another file: `up.sql`, so that an adopted database gets the very same definitions.
_INCLUDE = re.compile(r"^-- include: (?P<path>\S+)$", re.MULTILINE)
_RULES = {"tx": require_one_transaction, "concurrent": require_concurrent, "backfill": require_batch}


def read_scripts(plan: Plan) -> dict[str, list[Statement]]:
    """Statements by the path of the file, in order; raise REFUSED with the place of what cannot be run."""
    scripts = {}
    for migration in plan.migrations:
        for step in (*migration.steps, *migration.adoption):
            scripts[step.path] = read(step.path, step.kind, plan.files)
        for path in (migration.rehearsal, migration.undo, migration.adopted_down):
            if path:
                scripts[path] = read(path, "tx", plan.files)
    return scripts


def read(path: str, kind: Kind, files: Mapping[str, str]) -> list[Statement]:
    """The statements of one file, with what it includes; REFUSED where it cannot be run as that kind."""
    try:
        statements = _with_included(path, files)
        _RULES[kind](statements)
    except StatementError as error:
        raise MigrateError(ExitCode.REFUSED, f"{path}, {error}") from None
    return statements


def _with_included(path: str, files: Mapping[str, str]) -> list[Statement]:
    text = files[path]
    statements = split(text, path)
    for mark in reversed(list(_INCLUDE.finditer(text))):
        line = text.count("\n", 0, mark.start()) + 1
        included = f"{path.split('/', maxsplit=1)[0]}/{mark['path']}"
        if included not in files:
            raise StatementError(f"line {line}: there is no {included} to include")
        # Lines of this file: what a later mark has taken in has lines of its own.
        before = [one for one in statements if one.file == path and one.line < line]
        statements = [*before, *split(files[included], included), *statements[len(before) :]]
    return statements
