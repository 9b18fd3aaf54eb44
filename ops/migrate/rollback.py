"""Take migrations back: only with a proven backup of exactly the rows that are there, and a word of consent.

One transaction, so a run that is killed has done nothing. History is kept: a row of the ledger moves to
`orka_migrations.rolled_back` with the time, the user and the backup. An adoption that stopped half way has
a way back of its own, see `undo_adoption`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from psycopg import sql

from model.plan import before
from ops.migrate import adoption, ledger, manifest, scripts
from ops.migrate.content import content, present, require_sight
from ops.migrate.execute import execute_all
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.owner_rights import owner_rights
from ops.migrate.rolled_back import keep_history
from ops.migrate.take_back import NOTHING_CHANGED, at_once
from ops.migrate.undo_adoption import half_way, undo

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

    from model.plan import Migration, Plan
    from ops.migrate.contract import Contract
    from ops.migrate.ledger import History
    from ops.migrate.manifest import Manifest
    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions
    from ops.migrate.statements import Statement

# Where tables made by hand are kept once others have taken their place.
_ORIGINALS = "orka_original"
_BACK = (
    f"the tables made by hand come back from the schema {_ORIGINALS} as they were when they were replaced:"
    " what was written or changed since is in the backup alone"
)


@dataclass(frozen=True)
class Request:
    """What the operator asked for."""

    to: str
    """The version to go back to; it stays."""
    backup: Path | None
    confirm: str | None


@dataclass(frozen=True)
class RolledBack:
    """What was taken back, newest first, and the newest version that stays, if any."""

    versions: tuple[str, ...]
    stays: str | None


def rollback(
    sessions: Sessions,
    plan: Plan,
    contract: Contract,
    request: Request,
    options: Options,
    progress: Progress,
) -> RolledBack:
    """Take back everything after `request.to`. REFUSED: nothing was changed."""
    connection = sessions.work
    # Of a run's two locks the second is what a killed one's statement still holds.
    sessions.lock(options.lock_wait)
    history = ledger.history(connection, plan)
    adoption_begun = adoption.read(connection)
    require_version(request.to, plan, history, adoption_begun.version if adoption_begun else None)
    chosen = choose(history, request.to)
    stays = max((one.version for one in history.applied if one not in chosen), default=None)
    if not chosen:
        adopting = half_way(connection, history, request.to)
        if adopting:
            undo(sessions, plan, adopting, request.confirm, options, progress)
        return RolledBack((adopting.version,) if adopting else (), stays)
    adopted = _originals(connection)
    downs = [(one, read_down(plan, one, adopted=one.version == adopted)) for one in chosen]
    if request.backup is None:
        raise MigrateError(ExitCode.REFUSED, "what is applied is taken back with a backup: --backup MANIFEST")
    backed_up = manifest.read(request.backup)
    refuse_another_state(backed_up, ledger.read(connection), connection.info.dbname)
    require_sight(connection)
    require_consent(request.confirm, chosen, backed_up, adopted=adopted)
    tables = [table for table in present(connection, contract.tables) if table in contract.tables]
    with owner_rights(connection):
        act = partial(_take_back, connection, downs, tables, backed_up, progress)
        at_once(sessions, options, progress, act)
    return RolledBack(tuple(migration.version for migration in chosen), stays)


def require_version(to: str, plan: Plan, history: History, begun: str | None) -> None:
    """REFUSED unless `to` is a version, and none that is still to come; `begun` is an adoption's. Pure."""
    if not re.fullmatch("[0-9]{3}", to):
        raise MigrateError(ExitCode.REFUSED, f"--to {to} is no version: give its three digits, as 022")
    here = [*(one.version for one in history.applied), *(one.version for one in history.later)]
    newest = max([before(plan.migrations[0].version), *here, *([begun] if begun else [])])
    if to > newest:
        raise MigrateError(
            ExitCode.REFUSED, f"--to {to} is newer than what is here: give {newest} or an older version"
        )


def choose(history: History, to: str) -> list[Migration]:
    """The applied migrations after `to`, newest first; REFUSED where the history is not plain. Pure."""
    faults = [*history.tampered, *history.disorder]
    faults += [f"{entry.version} was applied by a newer program: use that one" for entry in history.later]
    if faults:
        raise MigrateError(ExitCode.REFUSED, *faults)
    return sorted((one for one in history.applied if one.version > to), key=lambda one: one.version)[::-1]


def read_down(plan: Plan, migration: Migration, *, adopted: bool) -> list[Statement]:
    """The statements of the migration's `down.sql`, or of the one that brings the originals back. Pure."""
    folder = migration.path.split("/")[0]
    path = migration.adopted_down if adopted else f"{folder}/down.sql"
    if path is None or path not in plan.files:
        missing = path or f"{folder}/adopt/down.sql"
        raise MigrateError(
            ExitCode.REFUSED, f"{missing} is missing: {migration.version} cannot be taken back"
        )
    return scripts.read(path, "tx", plan.files)


def refuse_another_state(backed_up: Manifest, entries: list[ledger.Entry], database: str) -> None:
    """REFUSED where the backup is of another database or of another history. Pure."""
    if backed_up.dump is None:
        raise MigrateError(ExitCode.REFUSED, "this backup is of before there was a table: take one now")
    if backed_up.database != database:
        raise MigrateError(
            ExitCode.REFUSED, f"this backup is of the database {backed_up.database}, this one is {database}"
        )
    then = [(one.version, one.sha256, one.applied_at) for one in backed_up.ledger]
    if then != [(one.version, one.sha256, one.applied_at) for one in entries]:
        raise MigrateError(ExitCode.REFUSED, "this backup is of another state of the ledger: take one now")


def require_consent(
    word: str | None, chosen: list[Migration], backed_up: Manifest, *, adopted: str | None
) -> None:
    """REFUSED, with what would go and the word to give, unless the word was given. Pure."""
    digest = backed_up.dump.sha256 if backed_up.dump else ""
    wanted = f"drop-{'-'.join(one.version for one in chosen)}-{digest[:8]}"
    if word != wanted:
        rows = [f"  {table}: {one.rows} rows" for table, one in backed_up.tables.items()]
        raise MigrateError(
            ExitCode.REFUSED,
            f"this takes back {', '.join(f'{one.version} {one.name}' for one in chosen)}; of these tables the"
            " ones that it made are dropped with their rows:",
            *rows,
            *([_BACK] if adopted else []),
            f"the rows are in the backup of {backed_up.taken_at}; to go on add --confirm {wanted}",
        )


def _originals(connection: psycopg.Connection) -> str | None:
    """The version whose tables took the place of others, if those are still there."""
    row = connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (_ORIGINALS,)).fetchone()
    adopted = adoption.read(connection)
    return adopted.version if adopted and row and row[0] else None


def _take_back(
    connection: psycopg.Connection,
    downs: list[tuple[Migration, list[Statement]]],
    tables: list[str],
    backed_up: Manifest,
    progress: Progress,
) -> None:
    names = sql.SQL(", ").join(sql.Identifier(*table.split(".")) for table in tables)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
    progress.tell("rollback", "rollback: the tables are locked; comparing their rows with the backup")
    _refuse_other_rows(connection, tables, backed_up)
    for migration, statements in downs:
        progress.tell("rollback", f"rollback: taking back {migration.version} {migration.name}")
        execute_all(connection, statements, NOTHING_CHANGED)
    keep_history(connection, [migration.version for migration, _ in downs], backed_up)


def _refuse_other_rows(connection: psycopg.Connection, tables: list[str], backed_up: Manifest) -> None:
    # Its settings end here; the locks, taken before, stay.
    with connection.transaction(force_rollback=True):
        now = content(connection, tables)
    then = {table: one.model_dump() for table, one in backed_up.tables.items()}
    wrong = [
        f"{table} has {now[table]['rows']} rows, the backup {then.get(table, {}).get('rows', 'none')}"
        for table in tables
        if now[table] != then.get(table)
    ]
    if wrong:
        raise MigrateError(
            ExitCode.REFUSED,
            "the backup does not hold exactly the rows that are there; nothing was changed",
            *wrong,
            "stop the writers, take a backup now, and give that one",
        )
