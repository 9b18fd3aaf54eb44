"""Wait for a lock without making others wait: short attempts, a pause between them, an end to them all.

Whoever waits for a lock blocks everybody who comes after, readers too. So one attempt waits for a tenth of a
second, gives up, and comes again. Autovacuum, which yields to nobody so soon, is asked out in between.
"""

from __future__ import annotations

import contextlib
import random
import time
from typing import TYPE_CHECKING, TypeVar

import psycopg

from ops.migrate import blockers
from ops.migrate.make_way import make_way
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions

_Result = TypeVar("_Result")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 2.0
_LOOKS_PER_ATTEMPT = 4
_RARELY_SECONDS = 0.25


def retrying(
    sessions: Sessions, place: str, options: Options, progress: Progress, attempt: Callable[[], _Result]
) -> _Result:
    """Run `attempt` (one transaction) until it gets its locks; raise LOCK_BUSY, naming who holds them."""
    deadline = time.monotonic() + options.lock_budget
    pause, seen = _FIRST_PAUSE_SECONDS, ["a session that ended meanwhile"]
    look = min(options.lock_timeout / _LOOKS_PER_ATTEMPT, _RARELY_SECONDS)

    def tell(found: list[str]) -> None:
        if found != seen:
            seen[:] = found
            progress.tell("waiting", f"{place}: waits for {'; '.join(found)}", blockers=found)

    while True:
        with (
            blockers.watched(sessions.guard, sessions.work.info.backend_pid, look, tell) as watch,
            contextlib.suppress(psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected),
        ):
            return attempt()
        if time.monotonic() >= deadline:
            raise MigrateError(
                ExitCode.LOCK_BUSY,
                f"{place}: no lock within {options.lock_budget:g} s, held by {'; '.join(seen)}",
                "end that session, or give a larger --lock-budget, and run again: it goes on here",
            )
        if watch.vacuumed and make_way(sessions.guard, watch.vacuumed):
            # At once: the launcher may send another worker.
            continue
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
