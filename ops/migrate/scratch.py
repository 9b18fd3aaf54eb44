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
    from collections.abc import Callable, Iterable, Iterator

# Whose it is stands in the name: a database is backed up by the one that holds its runner's lock, so what
# carries its number is a leftover, while another database's may be at work.
_PREFIX = "SELECT format('orka_backup_%s_', oid) FROM pg_database WHERE datname = current_database()"
_LEFTOVERS = """
    SELECT datname, EXISTS (SELECT FROM pg_stat_activity AS a WHERE a.datid = d.oid)
    FROM pg_database AS d WHERE starts_with(datname, %s) ORDER BY datname
"""
# The server's own encoding may be another, in which not every character of the rows has a place.
_LIKE = """
    SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database
    WHERE datname = current_database()
"""
_CREATE = sql.SQL(
    "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LC_COLLATE {} LC_CTYPE {} LOCALE_PROVIDER libc"
)


@contextmanager
def scratch_database(
    connection: psycopg.Connection, reopen: Callable[[], psycopg.Connection]
) -> Iterator[str]:
    """The name of an empty database like this one, dropped at the end over a new session: this may be gone.

    Where that fails, a note of the exception says so, or REFUSED does.
    """
    name = f"{_prefix(connection)}{uuid4().hex[:12]}"
    row = connection.execute(_LIKE).fetchone() or ("UTF8", "C", "C")
    connection.execute(_CREATE.format(sql.Identifier(name), *(sql.Literal(one) for one in row)))
    try:
        yield name
    except BaseException as error:
        for line in _drop(name, reopen):
            error.add_note(line)
        raise
    if left := _drop(name, reopen):
        raise MigrateError(ExitCode.REFUSED, *left)


def _drop(name: str, reopen: Callable[[], psycopg.Connection]) -> list[str]:
    """Drop it with whoever is in it; what to say where that is impossible."""
    try:
        with reopen() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    except psycopg.Error as error:
        why = describe(error)
    except MigrateError as error:
        why = [*error.lines]
    else:
        return []
    return [
        f"the scratch database {name} could not be dropped: {'; '.join(why)}",
        f"DROP DATABASE {name}, or leave it to the next backup of this database",
    ]


def drop_leftovers(connection: psycopg.Connection) -> list[str]:
    """Drop what killed backups of this database left behind; a line for each that stays.

    The runner's lock must be held. A killed runner's `pg_restore` may still be at work: without FORCE a
    database that somebody is connected to stays.
    """
    lines = []
    for name, used in connection.execute(_LEFTOVERS.encode(), (_prefix(connection),)).fetchall():
        why = "somebody is connected to it" if used else ""
        if not used:
            try:
                connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
            except psycopg.Error as error:
                why = "; ".join(describe(error))
        if why:
            lines.append(f"the database {name}, left by an earlier backup, could not be dropped: {why}")
    return lines


def _prefix(connection: psycopg.Connection) -> str:
    row = connection.execute(_PREFIX).fetchone()
    if row is None:
        raise MigrateError(ExitCode.REFUSED, "the server does not know the database's number")
    return str(row[0])


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
