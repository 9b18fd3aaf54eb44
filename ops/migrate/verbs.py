"""What each verb of `ops migrate` does with a database."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ops.migrate import ledger, report, step_ledger
from ops.migrate.adoption import baseline
from ops.migrate.apply import apply, check
from ops.migrate.backup import backup, backup_before_change
from ops.migrate.connection import Target, connect
from ops.migrate.options import LIMITS, LOCK_LIMITS, Options
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.progress import Progress
from ops.migrate.rollback import Request, rollback
from ops.migrate.rolled_back import read_history
from ops.migrate.sessions import Sessions
from ops.migrate.verify import observe, try_out

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    import psycopg

    from model.plan import Plan
    from ops.migrate.contract import Contract


@dataclass(frozen=True)
class Run:
    """One verb on one database."""

    args: argparse.Namespace
    target: Target
    plan: Plan
    contract: Contract
    connection: psycopg.Connection

    def say(self, line: str) -> None:
        """Progress, without the password."""
        print(self.target.redact(line), file=sys.stderr, flush=True)


def on_database(args: argparse.Namespace, target: Target, plan: Plan, contract: Contract) -> dict[str, Any]:
    """Run the verb that the arguments name; its result.

    Raises:
        MigrateError: with the exit code and the cause.
    """
    with connect(target, args.connect_wait) as connection:
        return _ON_DATABASE[args.verb](Run(args, target, plan, contract, connection))


def _apply(run: Run) -> dict[str, Any]:
    args, connection = run.args, run.connection
    if args.backup_dir:
        backup_before_change(connection, run.target, run.plan, run.contract, args.backup_dir, run.say)
    options = Options(**{name: getattr(args, name) for name in (*LIMITS, "create_extension", "adopt")})
    progress = Progress(run.say, as_json=args.json)
    guard = partial(connect, run.target, args.connect_wait)
    return report.applied(apply(connection, run.plan, run.contract, options, progress, guard))


def _baseline(run: Run) -> dict[str, Any]:
    return report.baselined(baseline(run.connection, run.plan, run.contract))


def _verify(run: Run) -> dict[str, Any]:
    newer = bool(ledger.history(run.connection, run.plan).later)
    verdict = check(run.connection, run.contract, newer_schema=newer)
    if not run.args.catalog_only:
        verdict = try_out(run.connection, run.contract, verdict, newer_schema=newer)
        if verdict.findings:
            raise MigrateError(
                ExitCode.VERIFY_FAILED,
                f"the database does not behave as it must, {len(verdict.findings)} difference(s)",
                *map(str, verdict.findings),
            )
    return report.verified(verdict)


def _status(run: Run) -> dict[str, Any]:
    entries, steps = ledger.read(run.connection), step_ledger.read(run.connection)
    return report.status(
        ledger.history(run.connection, run.plan), entries, steps, read_history(run.connection)
    )


def _backup(run: Run) -> dict[str, Any]:
    tables = list(run.contract.tables)
    return report.backed_up(backup(run.connection, run.target, tables, run.args.dir, run.say))


def _rollback(run: Run) -> dict[str, Any]:
    args = run.args
    request = Request(args.to, args.backup, args.confirm)
    options = Options(**{name: getattr(args, name) for name in LOCK_LIMITS})
    progress = Progress(run.say, as_json=args.json)
    with connect(run.target, args.connect_wait) as guard:
        sessions = Sessions(run.connection, guard)
        sessions.refuse_transaction_pooler()
        return report.rolled_back(rollback(sessions, run.plan, run.contract, request, options, progress))


def _catalog(run: Run) -> dict[str, Any]:
    with run.connection.transaction():
        observed = observe(run.connection, run.contract)
    return {"verb": "catalog", "catalog": observed.model_dump(exclude_none=True)}


_ON_DATABASE: dict[str, Callable[[Run], dict[str, Any]]] = {
    "apply": _apply,
    "baseline": _baseline,
    "verify": _verify,
    "status": _status,
    "backup": _backup,
    "rollback": _rollback,
    "catalog": _catalog,
}
