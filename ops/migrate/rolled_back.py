"""The history of what was taken back: rows of the ledger with when, by whom and with which backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from ops.migrate import ledger_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from ops.migrate.manifest import Manifest

_CREATE = (
    b"""
    CREATE TABLE IF NOT EXISTS orka_migrations.rolled_back (
        version text NOT NULL,
        entry jsonb NOT NULL,
        steps jsonb NOT NULL,
        rolled_back_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        rolled_back_by text NOT NULL DEFAULT current_user,
        backup_sha256 text NOT NULL,
        PRIMARY KEY (version, rolled_back_at)
    )
    """,
    b"REVOKE ALL ON orka_migrations.rolled_back FROM PUBLIC",
)
_HISTORY = """
    SELECT version, to_char(rolled_back_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           rolled_back_by
    FROM orka_migrations.rolled_back ORDER BY rolled_back_at
"""


def keep_history(connection: psycopg.Connection, versions: Sequence[str], backed_up: Manifest) -> None:
    """Move the ledger's rows of `versions`, and their steps, there; in the rollback's own transaction."""
    digest = backed_up.dump.sha256 if backed_up.dump else ""
    for version in versions:
        _move(connection, version, "ledger", digest)
        if ledger_tables.exists(connection, "baselines"):
            connection.execute("DELETE FROM orka_migrations.baselines WHERE version = %s", (version,))


def keep_unfinished(connection: psycopg.Connection, version: str) -> None:
    """Move an adoption's baseline, and its steps, there, in its undoing's transaction; there is no backup."""
    _move(connection, version, "baselines", "")


def _move(connection: psycopg.Connection, version: str, table: str, digest: str) -> None:
    for statement in _CREATE:
        connection.execute(statement)
    name = sql.Identifier("orka_migrations", table)
    connection.execute(
        sql.SQL(
            "INSERT INTO orka_migrations.rolled_back (version, entry, steps, backup_sha256)"
            " SELECT version, to_jsonb(l), '[]', %s FROM {} AS l WHERE version = %s"
        ).format(name),
        (digest, version),
    )
    if ledger_tables.exists(connection, "steps"):
        # Of the latest one only: it may have been taken back before.
        connection.execute(
            "UPDATE orka_migrations.rolled_back SET steps = ("
            " SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM orka_migrations.steps AS s"
            " WHERE s.version = %(version)s)"
            " WHERE version = %(version)s AND rolled_back_at = ("
            " SELECT max(rolled_back_at) FROM orka_migrations.rolled_back WHERE version = %(version)s)",
            {"version": version},
        )
        connection.execute("DELETE FROM orka_migrations.steps WHERE version = %s", (version,))
    connection.execute(sql.SQL("DELETE FROM {} WHERE version = %s").format(name), (version,))


def read_history(connection: psycopg.Connection) -> list[dict[str, str]]:
    """What was ever taken back, oldest first; nothing where nothing was."""
    if not ledger_tables.exists(connection, "rolled_back"):
        return []
    rows = connection.execute(_HISTORY.encode()).fetchall()
    return [{"version": one[0], "rolled_back_at": one[1], "rolled_back_by": one[2]} for one in rows]
