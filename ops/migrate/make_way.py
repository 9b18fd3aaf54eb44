"""Let autovacuum out of the way, without anybody waiting for that.

PostgreSQL ends an autovacuum worker (unless it prevents a wraparound) when somebody has waited for its lock
for `deadlock_timeout`, a second. One attempt at a lock gives up long before, so that nobody waits behind it;
the worker would never be ended, and a vacuum may take hours. So the guard waits for that second in between,
for a lock that readers and writers do not mind, SHARE UPDATE EXCLUSIVE, and lets it go as soon as it has it.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

# Above deadlock_timeout, for the worker to end.
_SPARE_MS = 500
# A server that looks for deadlocks more rarely than this ends no worker for us.
_LONGEST_MS = 10_000
_WAIT = """
    SELECT least(setting::integer + %s, %s)::text || 'ms' FROM pg_settings WHERE name = 'deadlock_timeout'
"""
_TABLE = """
    SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid = %s AND c.relkind IN ('r', 'p')
"""


def make_way(guard: psycopg.Connection, table: int) -> bool:
    """Wait until autovacuum has left `table` (by oid); false where it stays, or may not be asked out."""
    try:
        return _ask_out(guard, table)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
        return False


def _ask_out(guard: psycopg.Connection, table: int) -> bool:
    with guard.transaction(force_rollback=True):
        found = guard.execute(_TABLE, (table,)).fetchone()
        if found is None:
            return False
        schema, name, owner = found
        guard.execute(f"SELECT set_config('lock_timeout', ({_WAIT}), true)", (_SPARE_MS, _LONGEST_MS))
        guard.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
        guard.execute(
            sql.SQL("LOCK TABLE ONLY {} IN SHARE UPDATE EXCLUSIVE MODE").format(sql.Identifier(schema, name))
        )
    return True
