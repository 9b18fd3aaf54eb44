"""What must be true before the first change; everything here only reads, but for the extension when asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

MINIMUM_SERVER = 15
MINIMUM_VECTOR = (0, 8)
_FACTS = """
    SELECT current_setting('server_version_num')::int / 10000,
           pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,
           current_setting('server_encoding'),
           (SELECT extversion FROM pg_extension WHERE extname = 'vector'),
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector'),
           (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)
"""


def check(connection: psycopg.Connection, *, create_extension: bool) -> None:
    """Raise REFUSED with every fault found; create the extension where that is the only thing missing."""
    row = connection.execute(_FACTS).fetchone()
    if row is None:
        raise MigrateError(ExitCode.REFUSED, "the server did not answer the preflight query")
    major, read_only, encoding, installed, available, may_create_roles = row
    faults = []
    if major < MINIMUM_SERVER:
        faults.append(f"PostgreSQL {major} is too old: {MINIMUM_SERVER} or newer is needed")
    if read_only:
        faults.append("the server is read-only: connect to the primary")
    if encoding != "UTF8":
        faults.append(f"the database's encoding is {encoding}: UTF8 is needed")
    if not may_create_roles:
        faults.append("the database user may not create roles: it needs CREATEROLE")
    faults += vector_faults(installed, available, create_extension=create_extension)
    if faults:
        raise MigrateError(ExitCode.REFUSED, *faults)
    if installed is None:
        _create_vector(connection)


def vector_faults(installed: str | None, available: str | None, *, create_extension: bool) -> list[str]:
    """What is wrong with the vector extension, as lines. Pure."""
    needed = ".".join(map(str, MINIMUM_VECTOR))
    if installed is not None:
        if _version(installed) < MINIMUM_VECTOR:
            return [f"the extension vector {installed} is too old: {needed} or newer is needed"]
        return []
    if available is None:
        return ["the server does not offer the extension vector: install pgvector on it"]
    if _version(available) < MINIMUM_VECTOR:
        return [f"the server offers the extension vector {available}: {needed} or newer is needed"]
    if not create_extension:
        return ["the extension vector is not in this database: create it, or pass --create-extension"]
    return []


def refuse_unknown_tables(connection: psycopg.Connection, tables: Sequence[str]) -> None:
    """Refuse a database where some of the tables exist though the ledger knows nothing of them."""
    rows = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname || '.' || c.relname = ANY(%s)",
        (list(tables),),
    ).fetchall()
    if rows:
        found = ", ".join(sorted(str(row[0]) for row in rows))
        raise MigrateError(
            ExitCode.REFUSED,
            f"these tables exist already, made by hand or by another tool: {found}",
            "this runner does not take them over; nothing was changed",
        )


def _create_vector(connection: psycopg.Connection) -> None:
    home = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'extensions'").fetchone()
    statement = b"CREATE EXTENSION IF NOT EXISTS vector" + (b" WITH SCHEMA extensions" if home else b"")
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        raise MigrateError(ExitCode.REFUSED, "cannot create the extension vector", *describe(error)) from None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])
