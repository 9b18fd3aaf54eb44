"""One runner at a time: a session-level advisory lock, polled.

Polled, because a waiter inside `pg_advisory_lock` holds a snapshot, which blocks (and by that deadlocks) a
concurrent index build of the runner that it waits for. The lock ends with its session, however that ends.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    import psycopg

# "ORKA" in ASCII, and two locks of that class. Advisory locks are per database already.
RUNNER = (0x4F524B41, 1)
WORK = (0x4F524B41, 2)
_POLL_SECONDS = 0.25


def acquire(connection: psycopg.Connection, wait_seconds: float, key: tuple[int, int]) -> None:
    """Take the lock or raise LOCK_BUSY, naming who holds it, after `wait_seconds`."""
    deadline = time.monotonic() + wait_seconds
    while not _try(connection, key):
        if time.monotonic() >= deadline:
            raise MigrateError(
                ExitCode.LOCK_BUSY,
                f"another migration runner holds the lock: {_holder(connection, key)};"
                f" waited {wait_seconds:g} s",
            )
        time.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret


def held(connection: psycopg.Connection, key: tuple[int, int]) -> bool:
    """Whether this very session holds the lock."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
        " AND classid = %s AND objid = %s AND objsubid = 2 AND pid = pg_backend_pid())",
        key,
    ).fetchone()
    return bool(row and row[0])


def _try(connection: psycopg.Connection, key: tuple[int, int]) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s::int4, %s::int4)", key).fetchone()
    return bool(row and row[0])


def _holder(connection: psycopg.Connection, key: tuple[int, int]) -> str:
    row = connection.execute(
        """
        SELECT format('pid %%s, %%s since %%s', a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'),
                      to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
        FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        key,
    ).fetchone()
    return str(row[0]) if row else "it has just been released"
