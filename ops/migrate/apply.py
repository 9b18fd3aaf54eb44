"""Bring a database to the plan: one transaction per migration, its ledger row included."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from ops.migrate import ledger, lock, preflight
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe
from ops.migrate.statements import Statement, StatementError, require_one_transaction, split
from ops.migrate.verify import Verdict, verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.plan import Migration, Plan
    from ops.migrate.contract import Contract


@dataclass(frozen=True)
class Options:
    """Limits of a run, in seconds."""

    lock_wait: float = 60.0
    lock_timeout: float = 5.0
    statement_timeout: float = 600.0
    create_extension: bool = False


@dataclass(frozen=True)
class Applied:
    """What a run did; empty `applied` means that there was nothing to do."""

    applied: tuple[str, ...]
    already: tuple[str, ...]
    later: tuple[str, ...]
    verdict: Verdict


def read_statements(plan: Plan) -> dict[str, list[Statement]]:
    """Statements by version, all files checked before the first change."""
    result = {}
    for migration in plan.migrations:
        try:
            result[migration.version] = split(plan.files[migration.path])
            require_one_transaction(result[migration.version])
        except StatementError as error:
            raise MigrateError(ExitCode.REFUSED, f"{migration.path}, {error}") from None
    return result


def apply(
    connection: psycopg.Connection,
    plan: Plan,
    contract: Contract,
    options: Options,
    say: Callable[[str], None],
) -> Applied:
    """Apply what is pending and prove the contract before the last commit; else only prove it."""
    statements = read_statements(plan)
    history = ledger.compare(plan, ledger.read(connection))
    if history.pending:
        preflight.check(connection, create_extension=options.create_extension)
        lock.acquire(connection, options.lock_wait)
        # Another runner may have been at work while this one waited.
        history = ledger.compare(plan, ledger.read(connection))
    ledger.require_order(history)
    already = tuple(migration.version for migration in history.applied)
    later = tuple(entry.version for entry in history.later)
    verdict = None
    if history.pending and not already:
        preflight.refuse_unknown_tables(connection, list(contract.tables))
    for migration in history.pending:
        say(f"{migration.version} {migration.name}: applying {len(statements[migration.version])} statements")
        last = migration is history.pending[-1]
        verdict = _apply_one(
            connection, migration, statements[migration.version], contract if last else None, options
        )
    if verdict is None:
        verdict = check(connection, contract, newer_schema=bool(later))
    return Applied(tuple(migration.version for migration in history.pending), already, later, verdict)


def check(connection: psycopg.Connection, contract: Contract, *, newer_schema: bool) -> Verdict:
    """Verify in a read-only transaction; raise VERIFY_FAILED with the findings."""
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        verdict = verify(connection, contract, newer_schema=newer_schema)
    if verdict.findings:
        raise MigrateError(ExitCode.VERIFY_FAILED, _count(verdict), *map(str, verdict.findings))
    return verdict


def _apply_one(
    connection: psycopg.Connection,
    migration: Migration,
    statements: list[Statement],
    contract: Contract | None,
    options: Options,
) -> Verdict | None:
    """Run one migration in its transaction; with a contract, commit only what fulfils it."""
    started = time.monotonic()
    with connection.transaction():
        for setting, seconds in (
            ("lock_timeout", options.lock_timeout),
            ("statement_timeout", options.statement_timeout),
        ):
            connection.execute("SELECT set_config(%s, %s, true)", (setting, f"{round(seconds * 1000)}ms"))
        ledger.create_unless_there(connection)
        for statement in statements:
            _execute(connection, migration, statement)
        # The file may have become the owner and changed the search path; the ledger belongs to the admin.
        connection.execute("RESET ROLE")
        verdict = verify(connection, contract, newer_schema=False) if contract else None
        if verdict and verdict.findings:
            raise MigrateError(
                ExitCode.VERIFY_ROLLED_BACK,
                f"{migration.version} was rolled back: {_count(verdict)}",
                *map(str, verdict.findings),
            )
        ledger.record(connection, migration, round((time.monotonic() - started) * 1000), len(statements))
    return verdict


def _execute(connection: psycopg.Connection, migration: Migration, statement: Statement) -> None:
    try:
        connection.execute(statement.text.encode())
    except psycopg.Error as error:
        raise MigrateError(
            ExitCode.NEEDS_OPERATOR,
            f"{migration.path} line {statement.line} failed, {migration.version} was rolled back",
            *describe(error),
            f"statement: {statement.first_line}",
        ) from None


def _count(verdict: Verdict) -> str:
    return f"the database does not fulfil the contract, {len(verdict.findings)} difference(s)"
