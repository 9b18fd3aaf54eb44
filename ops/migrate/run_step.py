"""Run one step as its kind demands, so that a kill at any moment leaves a state to go on from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ops.migrate import concurrent_index, ledger, ledger_tables, step_ledger
from ops.migrate.execute import execute, execute_all
from ops.migrate.lock_retry import retrying
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.verify import compare_catalog, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from model.plan import Migration, Step
    from ops.migrate.contract import Contract
    from ops.migrate.options import Options
    from ops.migrate.progress import Progress
    from ops.migrate.sessions import Sessions
    from ops.migrate.statements import Statement
    from ops.migrate.verify import Verdict


@dataclass(frozen=True)
class Work:
    """One step to run.

    Args:
        ends_migration: number of the migration's statements where this is its last step, with whose end the
            ledger's row is written; else none.
        contract: set for the last step of all: its end must fulfil it.
        unchanged: raises, with the text it is given, where tables made by hand are not as they were
            recognised; asked before the step and, where that has a rehearsal, again after its first
            statement, which takes its locks.
        rehearsal: what makes the same without the step's locks; the contract is proved on it before the step,
            whose locks then need not wait for that.
    """

    migration: Migration
    step: Step
    statements: list[Statement]
    ends_migration: int | None
    contract: Contract | None
    rehearsal: list[Statement] | None = None
    unchanged: Callable[[str], None] | None = None

    @property
    def place(self) -> str:
        """How messages name it."""
        return f"{self.migration.version} {self.step.name}"


def run_step(sessions: Sessions, work: Work, options: Options, progress: Progress) -> Verdict | None:
    """Run one step to its end; raise with the cause, and with what is left as it is."""
    sessions.require_lock()
    runners = {"tx": _transaction, "concurrent": _concurrent, "backfill": _backfill}
    facts = {"version": work.migration.version, "step": work.step.name}
    text = f"{work.place}: {work.step.kind}, {len(work.statements)} statements"
    progress.tell("step", text, state="running", **facts)
    if work.unchanged:
        work.unchanged(f"{work.place} was not begun")
    verdict = runners[work.step.kind](sessions, work, options, progress)
    progress.step_done()
    progress.tell("step", f"{work.place}: done", state="done", **facts)
    return verdict


def _transaction(sessions: Sessions, work: Work, options: Options, progress: Progress) -> Verdict | None:
    tried = _rehearsed(sessions, work, options, progress)

    def attempt() -> Verdict | None:
        with sessions.work.transaction():
            _limit(sessions.work, options.lock_timeout, options.statement_timeout)
            _start(sessions.work, work)
            undone = f"{work.place} was rolled back"
            remedy = options.longer("statement_timeout")
            locking = 1 if work.unchanged and work.rehearsal else 0
            execute_all(sessions.work, work.statements[:locking], undone, remedy)
            if locking and work.unchanged:
                work.unchanged(undone)
            execute_all(sessions.work, work.statements[locking:], undone, remedy)
            return _end(sessions.work, work)

    verdict = retrying(sessions, work.place, options, progress, attempt)
    return replace(verdict, tried=tried.tried, left_out=tried.left_out) if verdict and tried else verdict


def _rehearsed(sessions: Sessions, work: Work, options: Options, progress: Progress) -> Verdict | None:
    """What the whole contract says of what the step will leave, made in a transaction that is undone."""
    contract, statements = work.contract, work.rehearsal
    if contract is None or statements is None:
        return None

    def attempt() -> Verdict:
        with sessions.work.transaction(force_rollback=True):
            _limit(sessions.work, options.lock_timeout, options.statement_timeout)
            left = f"{work.place} was not begun"
            execute_all(sessions.work, statements, left, options.longer("statement_timeout"))
            return verify(sessions.work, contract, newer_schema=False)

    progress.tell("rehearsal", f"{work.place}: rehearsed first, nobody waits for it", step=work.step.name)
    verdict = retrying(sessions, work.place, options, progress, attempt)
    if verdict.findings:
        text = f"{work.place} was not begun: in its rehearsal {verdict.summary}"
        raise MigrateError(ExitCode.VERIFY_ROLLED_BACK, text, *map(str, verdict.findings))
    return verdict


def _concurrent(sessions: Sessions, work: Work, options: Options, progress: Progress) -> Verdict | None:
    """Run outside of transactions.

    No lock timeout: what a build waits for blocks nobody, and giving up would leave an invalid index.
    """
    with sessions.work.transaction():
        first = _start(sessions.work, work) == 1
    _limit(sessions.work, 0, options.concurrent_timeout, local=False)
    left = f"{work.place} stands where it stopped, run it again"
    try:
        for statement in work.statements:
            build = statement.concurrent_index
            if build and concurrent_index.is_there(sessions.work, *build) and not first:
                continue
            if build:
                concurrent_index.drop_if_invalid(sessions.work, *build)
            with concurrent_index.watched(sessions, work.place, options, progress):
                execute(sessions.work, statement, left, options.longer("concurrent_timeout"))
            if build and not concurrent_index.is_there(sessions.work, *build):
                raise MigrateError(
                    ExitCode.NEEDS_OPERATOR, f"{work.place}: the index {build[0]} is not valid"
                )
    finally:
        if not sessions.work.broken:
            sessions.work.execute("RESET ROLE")
    _limit(sessions.work, options.lock_timeout, options.statement_timeout, local=False)
    with sessions.work.transaction():
        return _end(sessions.work, work)


def _backfill(sessions: Sessions, work: Work, options: Options, progress: Progress) -> Verdict | None:
    with sessions.work.transaction():
        _start(sessions.work, work)
    more = True
    while more:
        more = _batch(sessions, work, options, progress)
        if more:
            options.pause()
    with sessions.work.transaction():
        return _end(sessions.work, work)


def _batch(sessions: Sessions, work: Work, options: Options, progress: Progress) -> bool:
    """Run one batch; whether it was a full one, so that there may be more."""

    def attempt() -> tuple[bool, int]:
        with sessions.work.transaction():
            _limit(sessions.work, options.lock_timeout, options.batch_timeout)
            sessions.work.execute(
                "SELECT set_config('orka.batch_size', %s, true)", (str(options.batch_size),)
            )
            left = f"{work.place} stands after the batch before, run it again"
            rows = execute_all(sessions.work, work.statements, left, options.longer("batch_timeout"))
            # The step may have set another one for itself.
            (size,) = sessions.work.execute("SELECT current_setting('orka.batch_size')::int").fetchone() or (
                0,
            )
            return rows >= size, step_ledger.add_rows(sessions.work, work.migration, work.step, rows)

    full, so_far = retrying(sessions, work.place, options, progress, attempt)
    progress.tell("batch", f"{work.place}: {so_far} rows", step=work.step.name, rows=so_far)
    return full


def _start(connection: psycopg.Connection, work: Work) -> int:
    """Note in the transaction that the step runs; the number of this attempt."""
    ledger_tables.create_missing(connection)
    return step_ledger.start(connection, work.migration, work.step, ledger.runner())


def _end(connection: psycopg.Connection, work: Work) -> Verdict | None:
    """End the step in its transaction: what is recorded as the last one fulfils the contract."""
    judge = compare_catalog if work.rehearsal else verify
    verdict = judge(connection, work.contract, newer_schema=False) if work.contract else None
    if verdict and verdict.findings:
        undone = work.step.kind == "tx"
        raise MigrateError(
            ExitCode.VERIFY_ROLLED_BACK if undone else ExitCode.VERIFY_FAILED,
            f"{work.place} {'was rolled back' if undone else 'is not recorded as done'}: {verdict.summary}",
            *map(str, verdict.findings),
        )
    step_ledger.finish(connection, work.migration, work.step)
    if work.ends_migration is not None:
        ledger.record(connection, work.migration, work.ends_migration)
    return verdict


def _limit(
    connection: psycopg.Connection, lock_seconds: float, statement_seconds: float, *, local: bool = True
) -> None:
    for setting, seconds in (("lock_timeout", lock_seconds), ("statement_timeout", statement_seconds)):
        connection.execute("SELECT set_config(%s, %s, %s)", (setting, f"{round(seconds * 1000)}ms", local))
