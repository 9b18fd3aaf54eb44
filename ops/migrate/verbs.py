"""What each verb of `ops migrate` does with a database."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ops.migrate import ledger, lock, report, step_ledger
from ops.migrate.adoption import baseline
from ops.migrate.apply import apply, check
from ops.migrate.backup import backup
from ops.migrate.connection import Target, connect
from ops.migrate.ledger_owner import require_access
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
    from pathlib import Path

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
        require_access(connection, args.verb)
        return _ON_DATABASE[args.verb](Run(args, target, plan, contract, connection))


def _apply(run: Run) -> dict[str, Any]:
    args, connection = run.args, run.connection
    options = Options(**{name: getattr(args, name) for name in (*LIMITS, "create_extension", "adopt")})
    progress = Progress(run.say, as_json=args.json)
    guard = partial(connect, run.target, args.connect_wait)
    back_up = partial(_back_up, run, args.backup_dir) if args.backup_dir else None
    return report.applied(apply(connection, run.plan, run.contract, options, progress, guard, back_up))


def _baseline(run: Run) -> dict[str, Any]:
    return report.baselined(baseline(run.connection, run.plan, run.contract))


def _verify(run: Run) -> dict[str, Any]:
    history = ledger.history(run.connection, run.plan)
    ledger.require_compatible(history)
    newer = bool(history.later)
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
    # Alone: who applies, or backs up too, would end the rights that this one reads with.
    lock.acquire(run.connection, run.args.lock_wait, lock.RUNNER)
    return report.backed_up(_back_up(run, run.args.dir))


def _back_up(run: Run, directory: Path) -> Path:
    made = backup(run.connection, run.target, list(run.contract.tables), directory, run.say)
    run.say(f"backup: {made}")
    return made


def _rollback(run: Run) -> dict[str, Any]:
    args = run.args
    request = Request(args.to, args.backup, args.confirm)
    options = Options(**{name: getattr(args, name) for name in LOCK_LIMITS})
    progress = Progress(run.say, as_json=args.json)
    with connect(run.target, args.connect_wait) as guard:
        sessions = Sessions(run.connection, guard)
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
