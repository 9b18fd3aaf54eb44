"""Whether an address is a pooler in transaction mode: found by what it does, whatever it is called."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    import psycopg

_LOOKS = 3


def refuse_transaction_pooler(one: psycopg.Connection, other: psycopg.Connection) -> None:
    """Raise REFUSED where a session's settings do not stay with it: locks would not either.

    Nothing is set before both are seen to have a server session of their own: a pooler would hand the
    setting on to others.
    """
    if not _apart(one, other) or not _keeps(one, other):
        raise MigrateError(
            ExitCode.REFUSED,
            "this address is a pooler in transaction mode: its sessions share connections, no lock holds",
            "use the direct host or the pooler's session mode",
        )


def _apart(one: psycopg.Connection, other: psycopg.Connection) -> bool:
    # Poolers hand out the session that was used last, or the one that was not: twice here, once there,
    # and again, so that neither habit looks like a session of one's own.
    looks = [_ask(each, "pg_backend_pid()") for _ in range(_LOOKS) for each in (one, one, other)]
    others = set(looks[2::3])
    ours = {*looks[0::3], *looks[1::3]}
    return len(ours) == len(others) == 1 and not ours & others


def _keeps(one: psycopg.Connection, other: psycopg.Connection) -> bool:
    mark = secrets.token_hex(8)
    one.execute("SELECT set_config('orka.session', %s, false)", (mark,))
    _ask(other, "1")
    return _ask(one, "current_setting('orka.session', true)") == mark


def _ask(connection: psycopg.Connection, expression: str) -> object:
    row = connection.execute(f"SELECT {expression}".encode()).fetchone()
    return row[0] if row else None
