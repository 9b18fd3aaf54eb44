"""`ops checks`: the command line around the runner."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from model.checks import ChecksFile, TokenSource
from ops.checks import outputs, report, runner, token
from ops.checks.connection import ConnectTo, trust
from ops.checks.result import Exit, exit_code

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPILOG = """\
The bearer token of the functional calls comes from ORKA_TOKEN, or from a password grant at Supabase auth:
SUPABASE_URL, SUPABASE_KEY (the anon key), ORKA_CHECK_EMAIL, ORKA_CHECK_PASSWORD. With --from-file the file
names the variables. Secrets are never printed.

A POST that may have been received is not sent again; everything else is asked up to --attempts times.
Where TERMINATION_LOG (or /dev/termination-log) exists, the cause of a red run is written there.

exit codes:
  0  all checks passed
  1  a check failed: an answer came and was not the expected one
  2  usage or configuration: nothing was asked
  3  errored: no answer to judge, or the stack's outputs could not be had

JSON (--json), schema version 1:
  {"schema_version", "release_id", "verdict", "started_at", "duration_ms",
   "checks": [{"name", "kind", "verdict", "reason", "latency_ms", "url", "attempts"}]}
  verdict is passed, failed or errored; kind is health or functional; reason is null for a passed check.
"""


class _Subparsers(Protocol):
    def add_parser(self, name: str, **options: object) -> argparse.ArgumentParser: ...


class _UsageError(ValueError):
    pass


def add_parser(subparsers: _Subparsers) -> None:
    """Add `checks` to the commands of `ops`."""
    parser = subparsers.add_parser(
        "checks",
        help="run the health and functional checks of a release",
        description="Runs the guide's health checks and functional calls against a deployed release.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    origin = parser.add_mutually_exclusive_group()
    origin.add_argument(
        "--from-file", metavar="FILE", help="run the checks of this file (what the gate does)"
    )
    origin.add_argument("--outputs", metavar="FILE", help="take the stack's outputs (JSON) from this file")
    parser.add_argument(
        "-s", "--stack", default="staging", help="the stack to ask for its outputs (default: staging)"
    )
    parser.add_argument("--only", choices=("health", "functional"), help="run only the checks of one kind")
    parser.add_argument("--json", action="store_true", help="print the result as JSON instead of a table")
    parser.add_argument(
        "--supabase-url", metavar="URL", help="base address of Supabase auth (or SUPABASE_URL)"
    )
    parser.add_argument(
        "--connect-to",
        action="append",
        metavar="HOST:PORT:ADDRESS:PORT",
        help="connect elsewhere for this host and port, as curl does; repeatable "
        "(or ORKA_CONNECT_TO, comma separated)",
    )
    parser.add_argument("--cacert", metavar="FILE", help="CA certificates to trust, as PEM (or ORKA_CACERT)")
    bounds = runner.Limits()
    parser.add_argument(
        "--timeout", type=float, default=bounds.timeout, help="seconds per attempt (%(default)s)"
    )
    parser.add_argument(
        "--attempts", type=int, default=bounds.attempts, help="attempts per check (%(default)s)"
    )
    parser.add_argument(
        "--pause", type=float, default=bounds.pause, help="seconds between attempts (%(default)s)"
    )
    parser.add_argument(
        "--deadline", type=float, default=bounds.deadline, help="seconds for the whole run (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the checks that the arguments name; returns the exit code."""
    environment = os.environ
    try:
        limits = _limits(args)
        rules = _rules(args, environment)
        context = trust(args.cacert or environment.get("ORKA_CACERT") or None)
        checks = _only(_load(args, environment), args.only)
        needs_token = any(call.auth for call in checks.functional)
        origin = token.resolve(checks.token, environment) if needs_token else None
    except outputs.OutputsError as error:
        return _stop(str(error), Exit.ERRORED, environment)
    except ValueError as error:
        return _stop(str(error), Exit.USAGE, environment)
    result = runner.run(checks, origin, limits, rules, context)
    print(result.model_dump_json(indent=2) if args.json else report.table(result))
    if result.verdict != "passed":
        report.write_termination(report.cause(result), environment)
    return exit_code(result.verdict)


def _stop(message: str, code: Exit, environment: Mapping[str, str]) -> Exit:
    print(f"ops checks: {message}", file=sys.stderr)
    report.write_termination(f"checks not run: {message}", environment)
    return code


def _limits(args: argparse.Namespace) -> runner.Limits:
    if args.attempts < 1 or args.timeout <= 0 or args.deadline <= 0 or args.pause < 0:
        raise _UsageError(
            "--attempts is at least 1, --timeout and --deadline are more than 0, --pause is not negative"
        )
    return runner.Limits(args.timeout, args.pause, args.deadline, args.attempts)


def _rules(args: argparse.Namespace, environment: Mapping[str, str]) -> tuple[ConnectTo, ...]:
    given = args.connect_to or environment.get("ORKA_CONNECT_TO", "").split(",")
    return tuple(ConnectTo.parse(text.strip()) for text in given if text.strip())


def _load(args: argparse.Namespace, environment: Mapping[str, str]) -> ChecksFile:
    if args.from_file:
        try:
            return ChecksFile.model_validate_json(_read(args.from_file))
        except ValidationError as error:
            raise _UsageError(f"{args.from_file}: {_faults(error)}") from None
    try:
        source = TokenSource(supabase_url=args.supabase_url or environment.get("SUPABASE_URL") or None)
    except ValidationError as error:
        raise _UsageError(f"the address of Supabase: {_faults(error)}") from None
    return outputs.checks_from(_read(args.outputs) if args.outputs else outputs.fetch(args.stack), source)


def _faults(error: ValidationError) -> str:
    """Say what is wrong and where, without the input: it may hold what must not be shown."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']}" for fault in error.errors()
    )


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _UsageError(f"cannot read {name}: {error}") from None


def _only(checks: ChecksFile, kind: str | None) -> ChecksFile:
    if kind == "health":
        checks = checks.model_copy(update={"functional": ()})
    if kind == "functional":
        checks = checks.model_copy(update={"health": ()})
    if not checks.health and not checks.functional:
        raise _UsageError(f"there are no checks of kind {kind}: nothing would be proved")
    return checks
