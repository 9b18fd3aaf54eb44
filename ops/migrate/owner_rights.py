"""Let an admin that is no superuser read what the owner owns, for as long as a backup or a rollback takes.

It is a member of the owner that does not inherit (see the migration): `SET ROLE` would give it the owner's
rights, but take BYPASSRLS away. Other sessions of it, as `pg_dump`'s, need the rights too, so it is no matter
of one transaction. A run that is killed leaves the inheritance behind; the next one ends it.

Roles belong to the server, the runner's lock to one database: of runs in several databases the last to end
takes the rights away. Each holds a lock while it needs them, and locks are seen from every database.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNER = "orka_owner"
_NEEDED = """
    SELECT r.oid::bigint::bit(32)::integer
    FROM pg_roles AS r WHERE r.rolname = current_user
    AND NOT r.rolsuper AND current_setting('server_version_num')::integer >= 160000
    AND EXISTS (SELECT FROM pg_roles AS o WHERE o.rolname = %s)
"""
# "ORKB" in ASCII, and the admin's oid: another admin's membership is another one.
_CLASS = 0x4F524B42
_STILL_NEEDED = """
    SELECT EXISTS (
        SELECT FROM pg_locks AS l JOIN pg_roles AS r ON r.oid = l.objid
        WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s AND l.objsubid = 2
          AND r.rolname = current_user)
"""


@contextmanager
def owner_rights(connection: psycopg.Connection) -> Iterator[None]:
    """Inherit from the owner inside; before version 16 membership alone is enough. Not in a transaction."""
    row = connection.execute(_NEEDED, (_OWNER,)).fetchone()
    if row is None:
        yield
        return
    key = (_CLASS, row[0])
    # Shared: the session of a run that was killed may hold it still.
    connection.execute("SELECT pg_advisory_lock_shared(%s::int4, %s::int4)", key)
    try:
        _inherit(connection, "TRUE")
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock_shared(%s::int4, %s::int4)", key)
        with connection.transaction():
            # Whoever grants a role locks it until his commit: nobody begins between this and the look.
            _inherit(connection, "FALSE")
            still = connection.execute(_STILL_NEEDED, (_CLASS,)).fetchone()
            if still and still[0]:
                raise psycopg.Rollback


def _inherit(connection: psycopg.Connection, value: str) -> None:
    connection.execute(f"GRANT {_OWNER} TO current_user WITH INHERIT {value}".encode())
