"""`ops migrate`: arguments, output, exit code."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml

from model.plan import CONTRACT, Plan, PlanError, load_plan
from ops.migrate import ledger, report, step_ledger
from ops.migrate.adoption import baseline
from ops.migrate.apply import apply, check
from ops.migrate.connection import Target, connect, target_from_environment
from ops.migrate.contract import Contract, ContractError, parse_contract
from ops.migrate.options import Options
from ops.migrate.outcome import MEANINGS, ExitCode, MigrateError
from ops.migrate.progress import Progress
from ops.migrate.redact import describe, redact
from ops.migrate.scripts import read_scripts
from ops.migrate.verify import observe

if TYPE_CHECKING:
    from collections.abc import Callable

_VERBS = {
    "plan": "show what the files say, without a connection",
    "apply": "apply what is pending, prove the contract, change nothing the second time",
    "baseline": "recognise tables that were made by hand and record it, so that apply takes them over",
    "verify": "compare the database with contract.yaml; reads only",
    "status": "show what the ledger says; reads only",
    "catalog": "print the database's catalog in the form of contract.yaml; reads only",
}
_LIMITS = {
    "lock_wait": "for the lock against other runners",
    "lock_timeout": "of one attempt at a table's lock; others wait behind it",
    "lock_budget": "for all attempts of a step at a lock",
    "statement_timeout": "for a statement in a transaction",
    "concurrent_timeout": "for a concurrent index build",
    "batch_timeout": "for a statement of a batch",
    "batch_size": "of a backfill",
    "batch_pause": "between two batches",
    "long_transaction": "from which age a transaction is named, or refused before a concurrent step",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `migrate` and its verbs."""
    codes = "\n".join(f"  {int(code):2}  {meaning}" for code, meaning in MEANINGS.items())
    parser = subparsers.add_parser(
        "migrate",
        help="migrations of the audit database",
        description="Migrate the audit database that DATABASE_URL (or the file in DATABASE_URL_FILE) names.",
        epilog=f"exit codes:\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    defaults = Options()
    for verb, text in _VERBS.items():
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument(
            "--sql-dir", type=Path, default=Path("sql"), help="folder of SQL (default: %(default)s)"
        )
        one.add_argument("--json", action="store_true", help="one JSON object on standard output")
        if verb != "plan":
            one.add_argument("--connect-wait", type=float, default=30.0, metavar="SECONDS")
        if verb == "apply":
            for name, limit in _LIMITS.items():
                default = getattr(defaults, name)
                one.add_argument(
                    f"--{name.replace('_', '-')}",
                    type=type(default),
                    default=default,
                    metavar="ROWS" if isinstance(default, int) else "SECONDS",
                    help=f"{limit} (default: %(default)s)",
                )
            one.add_argument(
                "--adopt", action="store_true", help="take over tables that were made by hand (see baseline)"
            )
            one.add_argument(
                "--create-extension", action="store_true", help="create vector where it is missing"
            )


def run(args: argparse.Namespace) -> int:
    """Run one verb; print its result, or the cause of its failure, and return the exit code."""
    if threading.current_thread() is threading.main_thread():
        # As the first process of a container nothing else would end it; psycopg cancels its statement.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    hide: Callable[[str], str] = redact
    try:
        plan, contract = _load(args.sql_dir)
        if args.verb == "plan":
            return _show(args, report.plan(plan, read_scripts(plan)))
        target = target_from_environment(os.environ)
        hide = target.redact
        return _show(args, _with_database(args, target, plan, contract))
    except MigrateError as error:
        code, lines = error.code, list(error.lines)
    except psycopg.Error as error:
        code, lines = ExitCode.NEEDS_OPERATOR, ["the database failed", *describe(error)]
    except KeyboardInterrupt:
        code, lines = (
            ExitCode.INTERRUPTED,
            ["interrupted; the step that was running is not done, run it again"],
        )
    lines = [hide(line) for line in lines]
    report.write_termination_message(lines, os.environ)
    if args.json:
        print(
            json.dumps({"verb": args.verb, "outcome": code.name.lower(), "exit_code": code, "cause": lines})
        )
    print("\n".join(["ops migrate: " + lines[0], *("  " + line for line in lines[1:])]), file=sys.stderr)
    return int(code)


def _load(sql_dir: Path) -> tuple[Plan, Contract]:
    try:
        plan = load_plan(sql_dir)
        contract = parse_contract(plan.files[CONTRACT])
    except (PlanError, ContractError) as error:
        raise MigrateError(ExitCode.REFUSED, str(error)) from None
    if contract.version != plan.latest:
        raise MigrateError(
            ExitCode.REFUSED,
            f"contract.yaml describes {contract.version}, the last migration is {plan.latest}: update it",
        )
    return plan, contract


def _with_database(
    args: argparse.Namespace, target: Target, plan: Plan, contract: Contract
) -> dict[str, Any]:
    def say(line: str) -> None:
        print(target.redact(line), file=sys.stderr, flush=True)

    with connect(target, args.connect_wait) as connection:
        if args.verb == "apply":
            options = Options(
                **{name: getattr(args, name) for name in (*_LIMITS, "create_extension", "adopt")}
            )
            progress = Progress(say, as_json=args.json)
            guard = partial(connect, target, args.connect_wait)
            return report.applied(apply(connection, plan, contract, options, progress, guard))
        if args.verb == "catalog":
            with connection.transaction():
                return {
                    "verb": "catalog",
                    "catalog": observe(connection, contract).model_dump(exclude_none=True),
                }
        if args.verb == "baseline":
            return report.baselined(baseline(connection, plan, contract))
        entries, steps = ledger.read(connection), step_ledger.read(connection)
        history = ledger.compare(plan, entries, steps)
        if args.verb == "status":
            return report.status(history, entries, steps)
        return report.verified(check(connection, contract, newer_schema=bool(history.later)))


def _show(args: argparse.Namespace, result: dict[str, Any]) -> int:
    result = {"exit_code": ExitCode.OK, **result}
    if args.json:
        print(json.dumps(result))
    elif args.verb == "catalog":
        print(yaml.safe_dump(result["catalog"], sort_keys=False, width=110), end="")
    else:
        print(report.as_text(result))
    return int(result["exit_code"])
