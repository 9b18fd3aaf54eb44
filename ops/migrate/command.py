"""`ops migrate`: arguments, output, exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml

from model.plan import BEHAVIOUR, CONTRACT, Plan, PlanError, load_plan
from ops.migrate import bounds, report
from ops.migrate.behaviour import BehaviourError, parse_behaviour
from ops.migrate.connection import target_from_environment
from ops.migrate.contract import Contract, ContractError, parse_contract
from ops.migrate.options import LIMITS, LOCK_LIMITS, WAITS, Options
from ops.migrate.outcome import MEANINGS, ExitCode, MigrateError
from ops.migrate.redact import describe, redact
from ops.migrate.scripts import read_scripts
from ops.migrate.verbs import on_database

if TYPE_CHECKING:
    from collections.abc import Callable

# The program mounts the SQL of its own revision into whatever ops image is named.
_OTHER_REVISION = (
    "correct the file there; where nobody edited it, the ops image is of another revision than the SQL: "
    "build or name the one of this revision"
)
_VERBS = {
    "plan": "show what the files say, without a connection",
    "apply": "apply what is pending, prove the contract, change nothing the second time",
    "baseline": "recognise tables that were made by hand and record it, so that apply takes them over",
    "verify": "compare the database with contract.yaml, then try out behaviour.yaml and roll that back",
    "status": "show what the ledger says; reads only",
    "backup": "dump the audit tables, restore them elsewhere and compare; changes nothing",
    "rollback": "take migrations back: needs consent and, if applied, a proven backup of the present rows",
    "catalog": "print the database's catalog in the form of contract.yaml; reads only",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `migrate` and its verbs."""
    meanings = sorted([*MEANINGS.items(), (2, "usage: nothing was asked")])
    codes = "\n".join(f"  {int(code):3}  {meaning}" for code, meaning in meanings)
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
            one.add_argument("--connect-wait", type=bounds.wait_seconds, default=30.0, metavar="SECONDS")
        if verb == "rollback":
            one.add_argument("--to", required=True, metavar="VERSION", help="the version that stays, as 022")
            one.add_argument(
                "--backup", type=Path, metavar="MANIFEST", help="needed unless an adoption stopped half way"
            )
            one.add_argument(
                "--confirm", metavar="WORD", help="left out, it prints what would go, and the word"
            )
        if verb == "backup":
            one.add_argument("--dir", type=Path, required=True, help="a new folder for the backup goes here")
        if verb == "apply":
            one.add_argument(
                "--backup-dir", type=Path, metavar="DIR", help="back up first if there is something to do"
            )
        if verb == "verify":
            one.add_argument("--catalog-only", action="store_true", help="try nothing out; reads only")
        for name in {"apply": tuple(LIMITS), "rollback": LOCK_LIMITS, "backup": ("lock_wait",)}.get(verb, ()):
            default = getattr(defaults, name)
            one.add_argument(
                f"--{name.replace('_', '-')}",
                type=_type(name),
                default=default,
                metavar="ROWS" if isinstance(default, int) else "SECONDS",
                help=f"{LIMITS[name]} (default: %(default)s)",
            )
        if verb == "apply":
            one.add_argument(
                "--adopt", action="store_true", help="take over tables that were made by hand (see baseline)"
            )
            one.add_argument(
                "--create-extension", action="store_true", help="create vector where it is missing"
            )


def _type(limit: str) -> Callable[[str], float]:
    if limit == "batch_size":
        return bounds.rows
    return bounds.wait_seconds if limit in WAITS else bounds.limit_seconds


def run(args: argparse.Namespace) -> int:
    """Run one verb; print its result, or the cause of its failure, and return the exit code."""
    hide: Callable[[str], str] = redact
    try:
        plan, contract = _load(args.sql_dir)
        if args.verb == "plan":
            return _show(args, report.plan(plan, read_scripts(plan)))
        target = target_from_environment(os.environ)
        hide = target.redact
        return _show(args, on_database(args, target, plan, contract))
    except MigrateError as error:
        code, lines = error.code, list(error.lines)
    except psycopg.Error as error:
        code, lines = ExitCode.NEEDS_OPERATOR, ["the database failed", *describe(error)]
    except KeyboardInterrupt as error:
        stopped = "interrupted; the step that was running is not done, run it again"
        code, lines = ExitCode.INTERRUPTED, [stopped, *getattr(error, "__notes__", ())]
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
        behaviour = parse_behaviour(plan.files[BEHAVIOUR])
    except PlanError as error:
        raise MigrateError(ExitCode.REFUSED, str(error)) from None
    except (ContractError, BehaviourError) as error:
        raise MigrateError(ExitCode.REFUSED, str(error), _OTHER_REVISION) from None
    if contract.version != plan.latest:
        raise MigrateError(
            ExitCode.REFUSED,
            f"contract.yaml describes {contract.version}, the last migration is {plan.latest}: update it",
        )
    return plan, contract.model_copy(update={"behaviour": behaviour})


def _show(args: argparse.Namespace, result: dict[str, Any]) -> int:
    result = {"exit_code": ExitCode.OK, **result}
    if args.json:
        print(json.dumps(result))
    elif args.verb == "catalog":
        print(yaml.safe_dump(result["catalog"], sort_keys=False, width=110), end="")
    else:
        print(report.as_text(result))
    return int(result["exit_code"])
