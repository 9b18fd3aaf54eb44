"""Where the runner keeps its books: a schema of its own.

Not `public`, where an API would show it and where other tools keep theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_SCHEMA = (
    b"CREATE SCHEMA orka_migrations",
    b"REVOKE ALL ON SCHEMA orka_migrations FROM PUBLIC",
)
# In the order of their coming: a database of an earlier program has the first ones only.
_TABLES: dict[str, bytes] = {
    "ledger": b"""
    CREATE TABLE orka_migrations.ledger (
        version text NOT NULL PRIMARY KEY CHECK (version ~ '^[0-9]{3}$'),
        name text NOT NULL,
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        duration_ms integer NOT NULL CHECK (duration_ms >= 0),
        statements integer NOT NULL CHECK (statements >= 0),
        applied_by text NOT NULL,
        incompatible_with_older text
    )
    """,
    "steps": b"""
    CREATE TABLE orka_migrations.steps (
        version text NOT NULL CHECK (version ~ '^[0-9]{3}$'),
        step text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('tx', 'concurrent', 'backfill')),
        sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        state text NOT NULL CHECK (state IN ('running', 'done')),
        attempt integer NOT NULL DEFAULT 1,
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        rows_done bigint NOT NULL DEFAULT 0,
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
        runner text NOT NULL,
        PRIMARY KEY (version, step)
    )
    """,
    "baselines": b"""
    CREATE TABLE orka_migrations.baselines (
        version text NOT NULL PRIMARY KEY CHECK (version ~ '^[0-9]{3}$'),
        shape text NOT NULL,
        recognised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        runner text NOT NULL
    )
    """,
}
# Came after the table did; a database of an earlier program lacks it.
_LATER_COLUMN = ("ledger", "incompatible_with_older")


def exists(connection: psycopg.Connection, table: str) -> bool:
    """Whether this database has that table of the runner."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'orka_migrations' AND c.relname = %s)",
        (table,),
    ).fetchone()
    return bool(row and row[0])


def create_missing(connection: psycopg.Connection) -> None:
    """Make what is missing.

    Inside the first step's transaction, so that a failure leaves nothing at all.
    """
    missing = [table for table in _TABLES if not exists(connection, table)]
    for statement in _SCHEMA if len(missing) == len(_TABLES) else ():
        connection.execute(statement)
    for table in missing:
        connection.execute(_TABLES[table])
        connection.execute(f"REVOKE ALL ON orka_migrations.{table} FROM PUBLIC".encode())
    table, column = _LATER_COLUMN
    # Asked first: ALTER TABLE would lock out who reads the ledger, even where it finds nothing to do.
    if not _has_column(connection, table, column):
        connection.execute(f"ALTER TABLE orka_migrations.{table} ADD COLUMN {column} text".encode())


def _has_column(connection: psycopg.Connection, table: str, column: str) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'orka_migrations'"
        " AND c.relname = %s AND a.attname = %s AND NOT a.attisdropped)",
        (table, column),
    ).fetchone()
    return bool(row and row[0])
