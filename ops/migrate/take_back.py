"""What every way back shares: one transaction, tried until it has its locks, that a kill leaves undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate.lock_retry import retrying
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.errors import Diagnostic

    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions

NOTHING_CHANGED = "nothing was changed"


def at_once(sessions: Sessions, options: Options, progress: Progress, act: Callable[[], None]) -> None:
    """`act` in one transaction; LOCK_BUSY, naming who holds the locks, where it never gets them.

    What the server warns of is told once it is done.
    """
    warned: list[str] = []

    def note(diagnostic: Diagnostic) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            warned.append(f"rollback: {diagnostic.message_primary}")

    def attempt() -> None:
        warned.clear()
        with sessions.work.transaction():
            timeout = f"{round(options.lock_timeout * 1000)}ms"
            sessions.work.execute("SELECT set_config('lock_timeout', %s, true)", (timeout,))
            sessions.work.execute("SELECT set_config('statement_timeout', '0', true)")
            act()

    sessions.work.add_notice_handler(note)
    try:
        retrying(sessions, "rollback", options, progress, attempt)
    except MigrateError as error:
        if error.code is not ExitCode.LOCK_BUSY:
            raise
        raise MigrateError(
            error.code,
            f"{error.lines[0]}; {NOTHING_CHANGED}",
            "end that session, or give a larger --lock-budget, then try again",
        ) from None
    finally:
        sessions.work.remove_notice_handler(note)
    for line in warned:
        progress.tell("warning", line)
