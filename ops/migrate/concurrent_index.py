"""What a concurrent index build may leave behind, and what it waits for."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from psycopg import sql

from ops.migrate import blockers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions

_LOOK_SECONDS = 0.25
_FIND = """
    SELECT n.nspname, i.indisvalid AND i.indisready
    FROM pg_class AS c JOIN pg_index AS i ON i.indexrelid = c.oid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relname = %s AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass(%s))
"""


def is_there(connection: psycopg.Connection, name: str, table: str) -> bool:
    """Whether a valid index of that name exists beside the table."""
    row = connection.execute(_FIND, (name, table)).fetchone()
    return bool(row and row[1])


def drop_if_invalid(connection: psycopg.Connection, name: str, table: str) -> None:
    """Drop what a build that failed or was killed left: it costs every writer and serves no reader."""
    row = connection.execute(_FIND, (name, table)).fetchone()
    if row and not row[1]:
        connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(row[0], name)))


@contextlib.contextmanager
def watched(sessions: Sessions, place: str, options: Options, progress: Progress) -> Iterator[None]:
    """Name what a build waits for while it runs; it may wait for `concurrent_timeout`."""

    def tell(found: list[str]) -> None:
        text = f"{place}: waits for {'; '.join(found)}, at most {options.concurrent_timeout:g} s"
        progress.tell("waiting", text, blockers=found)

    with blockers.watched(sessions.guard, sessions.work.info.backend_pid, _LOOK_SECONDS, tell):
        yield
