"""Let an admin that is no superuser read what the owner owns, for as long as a backup or a rollback takes.

It is a member of the owner that does not inherit (see the migration): `SET ROLE` would give it the owner's
rights, but take BYPASSRLS away. Other sessions of it, as `pg_dump`'s, need the rights too, so it is no matter
of one transaction. A run that is killed leaves the inheritance behind; the next one ends it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

_OWNER = "orka_owner"
_NEEDED = """
    SELECT NOT r.rolsuper AND current_setting('server_version_num')::integer >= 160000
    FROM pg_roles AS r WHERE r.rolname = current_user
    AND EXISTS (SELECT FROM pg_roles AS o WHERE o.rolname = %s)
"""


@contextmanager
def owner_rights(connection: psycopg.Connection) -> Iterator[None]:
    """Inherit from the owner inside; before version 16 membership alone is enough. Not in a transaction."""
    row = connection.execute(_NEEDED, (_OWNER,)).fetchone()
    if not (row and row[0]):
        yield
        return
    _inherit(connection, "TRUE")
    try:
        yield
    finally:
        _inherit(connection, "FALSE")


def _inherit(connection: psycopg.Connection, value: str) -> None:
    connection.execute(f"GRANT {_OWNER} TO current_user WITH INHERIT {value}".encode())
