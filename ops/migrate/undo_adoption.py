"""Take back an adoption that stopped before its swap: copies, queue and triggers go, the tables in use stay.

Nothing of the user's is dropped, so it needs no backup; it needs the word of consent, as every way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate import adoption, step_ledger
from ops.migrate.execute import execute_all
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.rolled_back import keep_unfinished
from ops.migrate.scripts import read_scripts
from ops.migrate.take_back import NOTHING_CHANGED, at_once

if TYPE_CHECKING:
    import psycopg

    from model.plan import Migration, Plan
    from ops.migrate.ledger import History
    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions

# Holds for this adoption only: another one is recognised at another time.
_WORD = """
    SELECT format('undo-%%s-%%s', version, left(md5(extract(epoch FROM recognised_at)::text), 8))
    FROM orka_migrations.baselines WHERE version = %s
"""


def half_way(connection: psycopg.Connection, history: History, to: str) -> Migration | None:
    """The migration after `to` whose adoption was begun, or recognised only, and did not come to its end."""
    begun = adoption.read(connection)
    return next((one for one in history.pending if begun and to < one.version == begun.version), None)


def undo(
    sessions: Sessions,
    plan: Plan,
    migration: Migration,
    word: str | None,
    options: Options,
    progress: Progress,
) -> None:
    """Run its `undo.sql` and move the ledger's rows to the history; REFUSED without the word of consent."""
    work = sessions.work
    done = [one.step for one in step_ledger.read(work) if one.version == migration.version]
    if migration.undo is None:
        raise MigrateError(
            ExitCode.REFUSED, f"{migration.version} has no adopt/undo.sql: its adoption cannot be taken back"
        )
    statements = read_scripts(plan)[migration.undo] if done else []
    _require_consent(work, migration, done, word)

    def act() -> None:
        progress.tell("rollback", f"rollback: taking back the adoption of {migration.version}")
        execute_all(work, statements, NOTHING_CHANGED)
        keep_unfinished(work, migration.version)

    at_once(sessions, options, progress, act)


def _require_consent(
    connection: psycopg.Connection, migration: Migration, done: list[str], word: str | None
) -> None:
    row = connection.execute(_WORD.encode(), (migration.version,)).fetchone()
    wanted = str(row[0]) if row else ""
    if word != wanted:
        raise MigrateError(
            ExitCode.REFUSED,
            f"this takes back the adoption of {migration.version} {migration.name}, which stopped"
            f" {f'in or after {done[-1]}' if done else 'before its first step'}; the tables in use stay, with"
            " every row, and what was copied beside them is dropped",
            f"to go on add --confirm {wanted}",
        )
