"""`ops checks`: the command line around the runner."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from model.checks import ChecksFile, TokenSource, kind_of
from ops.checks import arguments, gate_job, in_cluster, outputs, report, runner, settling
from ops.checks.connection import ConnectTo, trust
from ops.checks.html import page
from ops.checks.junit import junit
from ops.checks.possible import possible, selected, without
from ops.checks.progress import Progress
from ops.checks.result import Exit, RunResult, exit_code
from ops.checks.session import Limits, Means
from ops.checks.token import credentials
from ops.shown import show

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


class _UsageError(ValueError):
    pass


def add_parser(subparsers: arguments.Subparsers) -> None:
    """Add `checks` to the commands of `ops`."""
    arguments.add_to(subparsers)


def run(args: argparse.Namespace) -> int:
    """Run the checks that the arguments name; returns the exit code."""
    environment = os.environ
    try:
        limits = _limits(args)
        rules = _rules(args, environment)
        authority = args.cacert or environment.get("ORKA_CACERT") or None
        context = trust(authority)
        baseline = _baseline(args.baseline)
        loaded = _load(args, environment)
        checks = without(_only(loaded, args.only), args.without)
        keys = [check.key_env for check in checks.key]
        has_kubectl = shutil.which("kubectl") is not None
        known = credentials(checks.token, environment, needs_token=checks.needs_token, key_envs=keys)
        here, not_run = possible(
            checks, known, rules, has_kubectl=has_kubectl, is_file=lambda name: Path(name).is_file()
        )
        if not here.all():
            raise _UsageError(f"none of the checks can be run from here: {not_run[0].reason}")
    except outputs.OutputsError as error:
        return _stop(str(error), Exit.ERRORED, environment)
    except ValueError as error:
        return _stop(str(error), Exit.USAGE, environment)
    means = Means(
        credentials=known, limits=limits, rules=rules, context=context,
        private_authority=authority is not None, kube_context=args.context,
    )  # fmt: skip
    if has_kubectl and "pods" not in args.without and settling.matters_to(here):
        for check in loaded.pods:
            settling.until_settled(check, args.context, sys.stderr)
    with Progress(sys.stderr, here) as progress:
        result = runner.run(here, means, not_run=not_run, baseline=baseline, seen=progress.seen)
    namespace = next((check.namespace for check in loaded.pods), None)
    left_out = args.no_job or not set(gate_job.KINDS).isdisjoint(args.without)
    if namespace and not left_out and gate_job.missing(not_run):
        result = in_cluster.asked_there(
            result, namespace, args.context, limits.deadline, rows=loaded.database, baseline=baseline
        )
    # What others read comes before what is shown: whoever reads that may have gone.
    if result.verdict != "passed":
        report.write_termination(report.cause(result), environment)
    written = _written(args, result)
    show((result.model_dump_json(indent=2) if args.json else report.table(result)) + "\n", sys.stdout)
    return exit_code(result.verdict) or written


def _written(args: argparse.Namespace, result: RunResult) -> int:
    """Write the files that were asked for; the exit code when one cannot be, else 0."""
    code = 0
    for name, render in ((args.junit, junit), (args.html, page)):
        if name:
            try:
                Path(name).write_text(render(result), encoding="utf-8")
            except OSError as error:
                show(f"ops checks: cannot write {name}: {error.strerror}\n", sys.stderr)
                code = Exit.USAGE
    return code


def _stop(message: str, code: Exit, environment: Mapping[str, str]) -> Exit:
    print(f"ops checks: {message}", file=sys.stderr)
    report.write_termination(f"checks not run: {message}", environment)
    return code


def _limits(args: argparse.Namespace) -> Limits:
    if args.attempts < 1 or args.timeout <= 0 or args.deadline <= 0 or args.pause < 0:
        raise _UsageError(
            "--attempts is at least 1, --timeout and --deadline are more than 0, --pause is not negative"
        )
    return Limits(args.timeout, args.pause, args.deadline, args.attempts)


def _rules(args: argparse.Namespace, environment: Mapping[str, str]) -> tuple[ConnectTo, ...]:
    return tuple(ConnectTo.parse(text) for text in _listed(args.connect_to, environment, "ORKA_CONNECT_TO"))


def _listed(given: list[str] | None, environment: Mapping[str, str], variable: str) -> list[str]:
    texts = given or environment.get(variable, "").split(",")
    return [text.strip() for text in texts if text.strip()]


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
    text = _read(args.outputs) if args.outputs else outputs.fetch(args.stack)
    try:
        return outputs.checks_from(
            text,
            source,
            profile=args.profile,
            version=args.expect_version,
            hosts=tuple(_listed(args.bundle_host, environment, "ORKA_BUNDLE_HOSTS")) or None,
        )
    except outputs.OutputsError as error:
        if args.outputs:
            raise _UsageError(f"{args.outputs}: {error}") from None
        raise


def _baseline(name: str | None) -> RunResult | None:
    if name is None:
        return None
    try:
        return RunResult.model_validate_json(_read(name))
    except ValidationError as error:
        raise _UsageError(f"{name} is no result of `ops checks --json`: {_faults(error)}") from None


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


def _only(checks: ChecksFile, kinds: list[str] | None) -> ChecksFile:
    if not kinds:
        return checks
    some = selected(checks, lambda check: kind_of(check) in kinds)
    if not some.all():
        raise _UsageError(f"there are no checks of kind {', '.join(kinds)}: nothing would be proved")
    # What other kinds cannot do here was not asked for.
    return some.model_copy(
        update={"not_here": tuple(entry for entry in some.not_here if entry.kind in kinds)}
    )
