"""The ledger: which migration was applied, from which file, when and by whom."""

from __future__ import annotations

import getpass
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.migrate import ledger_tables, step_ledger
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from model.plan import Migration, Plan
    from ops.migrate.step_ledger import StepEntry


@dataclass(frozen=True)
class Entry:
    """One row of the ledger."""

    version: str
    name: str
    sha256: str
    applied_at: str
    applied_by: str
    incompatible_with_older: str | None = None
    """Why a program that does not know this migration must not work on its schema."""


@dataclass(frozen=True)
class History:
    """The plan seen against the ledger."""

    applied: tuple[Migration, ...]
    pending: tuple[Migration, ...]
    later: tuple[Entry, ...]
    """Applied by a newer program than this one."""
    tampered: tuple[str, ...]
    """What contradicts the ledger, one line each."""
    disorder: tuple[str, ...]
    """Why the pending ones must not be applied now, one line each."""
    incompatible: tuple[str, ...] = ()
    """Why this program must leave the database alone, one line each, with the remedy."""


def read(connection: psycopg.Connection) -> list[Entry]:
    """All entries in order of version; none where there is no ledger."""
    if not ledger_tables.exists(connection, "ledger"):
        return []
    rows = connection.execute(
        "SELECT version, name, sha256,"
        " to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), applied_by,"
        # By way of JSON: the ledger of an earlier program has no such column.
        " to_jsonb(l) ->> 'incompatible_with_older'"
        " FROM orka_migrations.ledger AS l ORDER BY version"
    ).fetchall()
    return [Entry(*row) for row in rows]


def record(connection: psycopg.Connection, migration: Migration, statements: int) -> None:
    """Add the row of a migration inside the transaction that ends its last step."""
    connection.execute(
        "INSERT INTO orka_migrations.ledger (version, name, sha256, statements, incompatible_with_older,"
        " duration_ms, applied_by)"
        " SELECT %s, %s, %s, %s, %s, extract(epoch FROM clock_timestamp() - min(started_at)) * 1000,"
        " current_user || ' by ' || %s FROM orka_migrations.steps WHERE version = %s",
        (
            *(migration.version, migration.name, migration.sha256, statements),
            *(migration.incompatible_with_older, runner(), migration.version),
        ),
    )


def history(connection: psycopg.Connection, plan: Plan) -> History:
    """The plan seen against what this database says of it."""
    return compare(plan, read(connection), step_ledger.read(connection))


def compare(plan: Plan, entries: Sequence[Entry], steps: Sequence[StepEntry] = ()) -> History:
    """Judge the plan against the ledger and its steps. Pure."""
    ledger = {entry.version: entry for entry in entries}
    planned = {migration.version: migration for migration in plan.migrations}
    applied = tuple(m for m in plan.migrations if m.version in ledger)
    pending = tuple(m for m in plan.migrations if m.version not in ledger)
    newest = max(ledger, default="")
    changed = [
        f"{m.path} was changed after it was applied: restore it and add a new migration instead"
        for m in applied
        if m.sha256 != ledger[m.version].sha256
    ]
    missing = [
        f"the ledger has {entry.version} ({entry.name}), which is missing among the files"
        for entry in entries
        if entry.version not in planned and entry.version < plan.latest
    ]
    return History(
        applied=applied,
        pending=pending,
        later=tuple(entry for entry in entries if entry.version > plan.latest),
        tampered=tuple(dict.fromkeys([*changed, *missing, *step_ledger.contradictions(plan, steps)])),
        disorder=tuple(
            f"{m.version} ({m.name}) is pending though {newest} is applied: versions only grow"
            for m in pending
            if m.version < newest
        ),
        incompatible=tuple(
            f"{entry.version} ({entry.name}) is applied and does not go with older programs:"
            f" {entry.incompatible_with_older}; deploy a program that knows {entry.version}, or take it back"
            f" with that one: ops migrate rollback --to {plan.latest}"
            for entry in entries
            if entry.version > plan.latest and entry.incompatible_with_older
        ),
    )


def require_order(history: History) -> None:
    """Raise when files and ledger tell different stories, or this program is too old for the schema."""
    if history.tampered:
        raise MigrateError(ExitCode.TAMPERED, *history.tampered)
    require_compatible(history)
    if history.disorder:
        raise MigrateError(ExitCode.NEEDS_OPERATOR, *history.disorder)


def require_compatible(history: History) -> None:
    """Raise REFUSED where a later migration says that a program as old as this one does not go with it."""
    if history.incompatible:
        raise MigrateError(ExitCode.REFUSED, *history.incompatible, "nothing was changed")


def runner() -> str:
    """Who runs this program, as user@host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container's user id need not have a name.
        user = "unknown"
    return f"{user}@{platform.node()}"
