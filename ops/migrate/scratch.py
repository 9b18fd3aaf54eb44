"""A scratch database on the same server, to restore a backup into."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
from psycopg import sql

from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SCRATCH = "orka_backup"
# The server's own encoding may be another, in which not every character of the rows has a place.
_LIKE = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
    WHERE datname = current_database()
"""
_CREATE = sql.SQL(
    "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {} LOCALE_PROVIDER libc"
)


@contextmanager
def scratch_database(connection: psycopg.Connection) -> Iterator[str]:
    """The name of an empty database of the same encoding and locale, dropped at the end."""
    name = f"{_SCRATCH}_{uuid4().hex[:12]}"
    identifier = sql.Identifier(name)
    row = connection.execute(_LIKE).fetchone() or ("UTF8", "C", "C")
    connection.execute(_CREATE.format(identifier, *(sql.Literal(one) for one in row)))
    try:
        yield name
    finally:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))


def require_scratch(connection: psycopg.Connection) -> None:
    """Refuse a user that may not make one."""
    row = connection.execute(
        "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if not (row and row[0]):
        raise MigrateError(
            ExitCode.REFUSED,
            "this user may not make a scratch database, so no backup could be proved",
            "it needs CREATEDB, and the right to make the extension vector there",
        )


def prepare(connection: psycopg.Connection, schemas: Iterable[str], vector_home: str) -> None:
    """What tables need before they are restored: their schemas, and the extension where it was."""
    for schema in sorted({*schemas, vector_home}):
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
    try:
        connection.execute(
            sql.SQL("CREATE EXTENSION vector WITH SCHEMA {}").format(sql.Identifier(vector_home))
        )
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrateError(
            ExitCode.REFUSED,
            "this user may not make the extension vector in a scratch database, so no backup could be proved",
            *describe(error),
            "back up as a user that may: a superuser, or one whom the platform lets make it",
        ) from None
