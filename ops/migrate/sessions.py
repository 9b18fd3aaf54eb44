"""The two sessions of a run: one works, the other holds the lock and sees who is in the way.

The lock needs a session of its own: a concurrent index build waits for every transaction that is older, so
the session that holds the lock must have none open. The working session holds a lock too: a runner that was
killed leaves its statement behind until the server notices, and the next runner waits for that.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from ops.migrate import lock
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOKS = 3


@dataclass(frozen=True)
class Sessions:
    """`work` runs the statements, `guard` is idle between looks."""

    work: psycopg.Connection
    guard: psycopg.Connection

    def __iter__(self) -> Iterator[psycopg.Connection]:
        return iter((self.work, self.guard))

    def refuse_transaction_pooler(self) -> None:
        """Raise REFUSED where a session's settings do not stay with it: locks would not either."""
        mark = secrets.token_hex(8)
        self.work.execute("SELECT set_config('orka.session', %s, false)", (mark,))
        # Poolers hand out the session that was used last, or the one that was not: twice here, once there,
        # and again, so that neither habit looks like a session of one's own.
        looks = [_backend(one) for _ in range(_LOOKS) for one in (self.work, self.work, self.guard)]
        guards = set(looks[2::3])
        workers = {*looks[0::3], *looks[1::3]}
        apart = not {pid for pid, _ in workers} & {pid for pid, _ in guards}
        if not (len(workers) == len(guards) == 1 and apart and {seen for _, seen in workers} == {mark}):
            raise MigrateError(
                ExitCode.REFUSED,
                "this address is a pooler in transaction mode: its sessions share connections, no lock holds",
                "use the direct host or the pooler's session mode",
            )

    def lock(self, wait_seconds: float) -> None:
        """Be the only runner, and outlive what a killed one left running; raise LOCK_BUSY."""
        lock.acquire(self.guard, wait_seconds, lock.RUNNER)
        lock.acquire(self.work, wait_seconds, lock.WORK)

    def require_lock(self) -> None:
        """Raise NEEDS_OPERATOR when the session that holds the lock is gone."""
        try:
            held = lock.held(self.guard, lock.RUNNER)
        except psycopg.Error as error:
            raise MigrateError(
                ExitCode.NEEDS_OPERATOR,
                "the session that holds the runner's lock is gone: run it again",
                *describe(error),
            ) from None
        if not held:
            raise MigrateError(ExitCode.NEEDS_OPERATOR, "the runner's lock is lost: run it again")


def _backend(connection: psycopg.Connection) -> tuple[int, str | None]:
    row = connection.execute("SELECT pg_backend_pid(), current_setting('orka.session', true)").fetchone()
    return (int(row[0]), row[1]) if row else (0, None)
