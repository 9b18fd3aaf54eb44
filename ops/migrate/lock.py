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

# "ORKA" in ASCII, and the first lock of that class. Advisory locks are per database already.
LOCK = (0x4F524B41, 1)
_POLL_SECONDS = 0.25


def acquire(connection: psycopg.Connection, wait_seconds: float) -> None:
    """Take the lock or raise LOCK_BUSY, naming who holds it, after `wait_seconds`."""
    deadline = time.monotonic() + wait_seconds
    while not _try(connection):
        if time.monotonic() >= deadline:
            raise MigrateError(
                ExitCode.LOCK_BUSY,
                f"another migration runner holds the lock: {_holder(connection)}; waited {wait_seconds:g} s",
            )
        time.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret


def _try(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s::int4, %s::int4)", LOCK).fetchone()
    return bool(row and row[0])


def _holder(connection: psycopg.Connection) -> str:
    row = connection.execute(
        """
        SELECT format('pid %%s, %%s since %%s', a.pid, coalesce(nullif(a.application_name, ''), 'unnamed'),
                      to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
        FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objid = %s AND l.objsubid = 2
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        LOCK,
    ).fetchone()
    return str(row[0]) if row else "it has just been released"
