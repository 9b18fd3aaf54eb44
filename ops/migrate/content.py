"""How many rows a table has and what they add up to: the same rows in any order give the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Iterable

# A row's text must not depend on who asks.
_FIXED = (
    ("TimeZone", "UTC"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    # Rows that a policy hides shall be an error, not fewer rows.
    ("row_security", "off"),
    # On every core: a rollback does this while it keeps everybody out.
    ("parallel_setup_cost", "0"),
    ("parallel_tuple_cost", "0"),
)
# Two hashes of 64 bits of a row's text, each summed up. They tell copies apart; a seal is the log's chain.
# OFFSET 0: otherwise the planner would write every row out twice.
_CONTENT = """
    SELECT count(*),
           coalesce(sum(hashtextextended(line, 0)), 0)::text || ':'
           || coalesce(sum(hashtextextended(line, 1)), 0)::text
    FROM (SELECT one::text AS line FROM {} AS one OFFSET 0) AS lines
"""


def content(connection: psycopg.Connection, tables: Iterable[str]) -> dict[str, dict[str, int | str]]:
    """`rows` and `checksum` by table (with schema). Must run in a transaction, which keeps its settings."""
    for setting, value in _FIXED:
        connection.execute("SELECT set_config(%s, %s, true)", (setting, value))
    result: dict[str, dict[str, int | str]] = {}
    for table in tables:
        query = sql.SQL(_CONTENT).format(sql.Identifier(*table.split(".")))
        row = connection.execute(query).fetchone()
        if row is None:
            raise MigrateError(ExitCode.NEEDS_OPERATOR, f"{table} could not be counted")
        result[table] = {"rows": row[0], "checksum": row[1]}
    return result


def present(connection: psycopg.Connection, tables: Iterable[str]) -> list[str]:
    """Those of `tables` (with schema) that exist, and everything of the ledger."""
    rows = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r'"
        " AND (n.nspname || '.' || c.relname = ANY(%s) OR n.nspname = 'orka_migrations') ORDER BY 1",
        (list(tables),),
    ).fetchall()
    return [str(row[0]) for row in rows]


def require_sight(connection: psycopg.Connection) -> None:
    """Refuse an admin from whom forced row security would hide rows."""
    row = connection.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if not (row and row[0]):
        raise MigrateError(
            ExitCode.REFUSED,
            "this user cannot read all rows: row security binds it, as it binds their owner",
            "a backup needs a superuser, or a user with BYPASSRLS that may become orka_owner",
        )
