"""Execute statements so that a failure names its place; a lock that is not had is left to who tries again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from ops.migrate.statements import Statement


def execute(connection: psycopg.Connection, statement: Statement, left: str, too_slow: str = "") -> int:
    """Execute one statement; how many rows it did, or, for a SELECT, the number that it gives.

    `left` says in the message of a failure what is left behind, `too_slow` what to do about a time limit.
    """
    try:
        cursor = connection.execute(statement.text.encode())
        if cursor.description is None:
            return max(cursor.rowcount, 0)
        row = cursor.fetchone()
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        # Tried again from outside of the transaction.
        raise
    except psycopg.Error as error:
        raise MigrateError(
            ExitCode.NEEDS_OPERATOR,
            f"{statement.file} line {statement.line} failed, {left}",
            *describe(error),
            f"statement: {statement.first_line}",
            *([too_slow] if too_slow and _timed_out(error) else []),
        ) from None
    return row[0] if row and isinstance(row[0], int) else 0


def _timed_out(error: psycopg.Error) -> bool:
    """Whether it was the time limit: a cancellation by somebody has the same SQLSTATE."""
    return isinstance(error, psycopg.errors.QueryCanceled) and "statement timeout" in str(error)


def execute_all(
    connection: psycopg.Connection, statements: list[Statement], left: str, too_slow: str = ""
) -> int:
    """Execute them in turn, leave the role that they took, and give what the last one did."""
    rows = 0
    for statement in statements:
        rows = execute(connection, statement, left, too_slow)
    connection.execute("RESET ROLE")
    return rows
