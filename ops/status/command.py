"""`ops status`: what runs now on one screen; `ops status jobs`: the guide's table of jobs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from model.check_surroundings import TlsCheck
from model.checks import ChecksFile
from model.verification_output import Told
from ops import flags
from ops.checks import outputs, runner
from ops.checks.connection import ConnectTo, trust
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials
from ops.cluster import kubectl
from ops.status import jobs, live, missing, screen

TLS_S = 5.0
_EPILOG = """\
The stack's outputs say what should run; where pulumi gives none, what runs is shown all the same.
Drift is looked for in every kind that the stack has but Secrets; a kind that cannot be listed is named on
standard error. Connections to the edge follow ORKA_CONNECT_TO and ORKA_CACERT, as those of `ops checks` do.

exit codes:
  0  all as it should be
  1  something is not, and is named: a service, a job, the last verification, a certificate, drift, or what
     should be there and is not
  2  usage, or the file of --outputs cannot be read
  3  the cluster gave no answer
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `status`."""
    parser = subparsers.add_parser(
        "status",
        help="what runs now, on one screen",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("all", "jobs"), default="all", help="default: all")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--outputs", metavar="FILE", help="take the stack's outputs (JSON) from this file")
    flags.add_namespace(parser)
    flags.add_context(parser)


def run(args: argparse.Namespace) -> int:
    """Show it; the exit code."""
    try:
        known, told = _outputs(args)
    except (OSError, ValueError, outputs.OutputsError) as error:
        if args.outputs:
            print(f"ops status: {args.outputs}: {error}", file=sys.stderr)
            return 2
        print(f"ops status: without the stack's outputs: {error}", file=sys.stderr)
        known, told = {}, Told()
    namespace = flags.namespace(args, known.get("namespace"))
    now = datetime.now(UTC)
    try:
        if args.what == "jobs":
            found = kubectl.items("cronjobs,jobs", namespace, context=args.context)
            return _jobs(
                jobs.read(found, now, told.suspended_cron_jobs),
                missing.cron_jobs(found, known),
                as_json=args.json,
            )
        found, unseen = live.read(namespace, context=args.context, operator=told.operator)
    except kubectl.KubectlError as error:
        print(f"ops status: {error}", file=sys.stderr)
        return 3
    if unseen:
        print(f"ops status: cannot list {', '.join(unseen)}: drift in these is not seen", file=sys.stderr)
    shown = screen.read(found, known, told, certificates(known), now)
    print(json.dumps(shown.json(), indent=2) if args.json else screen.text(shown))
    return 1 if shown.faults() else 0


def _jobs(found: list[jobs.CronJob], gone: list[str], *, as_json: bool) -> int:
    faults = [*gone, *(job.fault for job in found if job.fault)]
    if as_json:
        listed = [asdict(job) for job in found]
        print(json.dumps({"schema_version": screen.SCHEMA, "jobs": listed, "faults": faults}, indent=2))
    else:
        print("\n".join([jobs.table(found), *(f"! {fault}" for fault in faults)]))
    return 1 if faults else 0


def _outputs(args: argparse.Namespace) -> tuple[dict[str, Any], Told]:
    text = Path(args.outputs).read_text(encoding="utf-8") if args.outputs else outputs.fetch(args.stack)
    found = json.loads(text)
    if not isinstance(found, dict):
        raise outputs.OutputsError("the stack's outputs are no JSON object")
    return found, outputs.told(found)


def certificates(known: dict[str, Any]) -> dict[str, str]:
    """Return `good` or what is wrong with the certificate of each host that the outputs name."""
    hosts = [urlsplit(str(known.get(name, ""))) for name in ("api_url", "frontend_url")]
    checks = tuple(
        TlsCheck(name=f"host-{number}", host=parts.hostname or "", port=parts.port or 443)
        for number, parts in enumerate(hosts)
        if parts.scheme == "https"
    )
    if not checks:
        return {}
    rules = [text for text in os.environ.get("ORKA_CONNECT_TO", "").split(",") if text.strip()]
    try:
        means = Means(
            credentials=Credentials(),
            limits=Limits(timeout=TLS_S, attempts=1, deadline=2 * TLS_S),
            rules=tuple(ConnectTo.parse(text.strip()) for text in rules),
            context=trust(os.environ.get("ORKA_CACERT") or None),
        )
    except ValueError as error:
        return {check.host: str(error) for check in checks}
    result = runner.run(ChecksFile(release_id="status", tls=checks), means)
    states = zip(checks, result.checks, strict=True)
    return {check.host: found.reason or "good" for check, found in states}
