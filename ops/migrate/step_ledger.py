"""The ledger of steps: where a migration stands, so that the next run goes on there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.migrate import ledger_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from model.plan import Migration, Plan, Step

# A step that is started again keeps its rows: they were committed with the batches.
_START = """
    INSERT INTO orka_migrations.steps AS s (version, step, kind, sha256, state, runner)
    VALUES (%s, %s, %s, %s, 'running', current_user || ' by ' || %s)
    ON CONFLICT (version, step) DO UPDATE SET
        kind = excluded.kind, sha256 = excluded.sha256, attempt = s.attempt + 1,
        started_at = clock_timestamp(), xid = pg_current_xact_id(), runner = excluded.runner
    RETURNING attempt
"""


@dataclass(frozen=True)
class StepEntry:
    """One row of the ledger of steps."""

    version: str
    step: str
    kind: str
    sha256: str
    state: str
    attempt: int
    rows_done: int


def read(connection: psycopg.Connection) -> list[StepEntry]:
    """All steps that were begun, in the order of their names; none where there is no such ledger."""
    if not ledger_tables.exists(connection, "steps"):
        return []
    rows = connection.execute(
        "SELECT version, step, kind, sha256, state, attempt, rows_done FROM orka_migrations.steps"
        " ORDER BY version, step"
    ).fetchall()
    return [StepEntry(*row) for row in rows]


def start(connection: psycopg.Connection, migration: Migration, step: Step, runner: str) -> int:
    """Note that a step runs; the number of this attempt."""
    row = connection.execute(
        _START, (migration.version, step.name, step.kind, step.sha256, runner)
    ).fetchone()
    return int(row[0]) if row else 1


def add_rows(connection: psycopg.Connection, migration: Migration, step: Step, rows: int) -> int:
    """Count the rows of a batch inside its transaction; the sum so far."""
    row = connection.execute(
        "UPDATE orka_migrations.steps SET rows_done = rows_done + %s WHERE version = %s AND step = %s"
        " RETURNING rows_done",
        (rows, migration.version, step.name),
    ).fetchone()
    return int(row[0]) if row else rows


def finish(connection: psycopg.Connection, migration: Migration, step: Step) -> None:
    """Note that a step is done."""
    connection.execute(
        "UPDATE orka_migrations.steps SET state = 'done', finished_at = clock_timestamp(),"
        " xid = pg_current_xact_id() WHERE version = %s AND step = %s",
        (migration.version, step.name),
    )


def contradictions(plan: Plan, entries: Sequence[StepEntry]) -> list[str]:
    """Steps whose file changed after they were done, or is gone. Pure.

    A step that never came to its end may be edited: repairing it is how an operator goes on.
    """
    files = {
        (migration.version, step.name): step
        for migration in plan.migrations
        for step in (*migration.steps, *migration.adoption)
    }
    known = {migration.version for migration in plan.migrations}
    faults = []
    for entry in entries:
        step = files.get((entry.version, entry.step))
        if entry.version not in known or entry.state != "done":
            continue
        if step is None:
            faults.append(f"the ledger has the step {entry.step} of {entry.version}, whose file is missing")
        elif step.sha256 != entry.sha256:
            faults.append(
                f"{step.path} was changed after it was applied: restore it and add a new migration instead"
            )
    return faults
