"""The two sessions of a run: one works, the other holds the lock and sees who is in the way.

The lock needs a session of its own: a concurrent index build waits for every transaction that is older, so
the session that holds the lock must have none open. The working session holds a lock too: a runner that was
killed leaves its statement behind until the server notices, and the next runner waits for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from ops.migrate import lock
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Sessions:
    """`work` runs the statements, `guard` is idle between looks."""

    work: psycopg.Connection
    guard: psycopg.Connection

    def __iter__(self) -> Iterator[psycopg.Connection]:
        return iter((self.work, self.guard))

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
