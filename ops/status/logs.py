"""`ops logs backend|frontend`, `ops logs job NAME`: the last lines, of every pod, of the last run."""

from __future__ import annotations

import argparse
import sys

from ops import flags
from ops.checks import gate_job
from ops.checks.sanitise import masked
from ops.cluster import kubectl, objects
from ops.cluster.logs import REFUSED, SKIPPING

LINES = 50
SERVICES = ("backend", "frontend", "checker", "prometheus")
AWAITED = {"migration": "migration", "verification": gate_job.GATE, "verify": gate_job.GATE}
WHOLE = -1
_EPILOG = """\
`ops logs job NAME` shows the last run of a cron job (with or without -job at its end), or, whole, of
`migration` or `verification` (also `verify`). What looks like a key, a token or a password is masked. A pod
of a service that has no log, since it waits to start, is named on standard error beside the others' logs.

exit codes:
  0  shown
  2  usage
  3  the cluster gave no answer, or no log of any pod
  4  there is no such job, or it has not run yet
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `logs`."""
    parser = subparsers.add_parser(
        "logs",
        help="the logs of a service or of a job's last run",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=(*SERVICES, "job"))
    parser.add_argument("name", nargs="?", help="of the job")
    parser.add_argument(
        "--tail", type=int, help=f"lines of each pod (default: {LINES}; of migration and verification all)"
    )
    flags.add_namespace(parser)
    flags.add_context(parser)


def run(args: argparse.Namespace) -> int:
    """Show it; the exit code."""
    if (args.what == "job") != (args.name is not None) or (args.tail is not None and args.tail < 1):
        print("ops logs: give `job NAME`, or a service alone; --tail is at least 1", file=sys.stderr)
        return 2
    namespace = flags.namespace(args)
    try:
        selected = ["--selector", f"{objects.NAME_LABEL}={args.what}", *SKIPPING]
        target = _job(args, namespace) if args.what == "job" else selected
        if target is None:
            print(f"ops logs: {args.name} has no run in {namespace}", file=sys.stderr)
            return 4
        tail = args.tail or (WHOLE if args.name in AWAITED else LINES)
        text = kubectl.run(
            ["logs", *target, "--namespace", namespace, f"--tail={tail}"], context=args.context
        )
    except kubectl.KubectlError as error:
        print(f"ops logs: {error}", file=sys.stderr)
        return 3
    lines = text.splitlines()
    refused = [line for line in lines if line.startswith(REFUSED)]
    for line in lines:
        if line.startswith(REFUSED):
            print(f"ops logs: {masked(line.removeprefix(REFUSED))}", file=sys.stderr)
        else:
            print(masked(line))
    return 3 if refused and len(refused) == len(lines) else 0


def _job(args: argparse.Namespace, namespace: str) -> list[str] | None:
    """Name the newest Job of that name, as kubectl wants it."""
    found = kubectl.items("jobs", namespace, context=args.context)
    runs = (
        gate_job.awaited(found, AWAITED[args.name])
        if args.name in AWAITED
        else objects.jobs_of(found, f"{args.name.removesuffix('-job')}-job")
    )
    return [f"job/{objects.name(runs[0])}", "--prefix"] if runs else None
