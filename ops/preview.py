"""`ops preview`: says before a `pulumi preview` whether the API server will validate it.

Pulumi asks the server by a dry run, which needs the rights to create and to patch. Where they are
missing it falls back without a word, and where the server cannot be reached a fresh stack's preview
still ends green. Both are said here, and an unreachable server is a failure.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops import flags, stack_file
from ops.cluster import kubectl
from ops.cluster.kinds import OPERATORS, REGISTERED

if TYPE_CHECKING:
    from collections.abc import Mapping

VERBS = ("create", "patch")
_EPILOG = """\
Where GITHUB_STEP_SUMMARY names a file, the line is written there too.

exit codes:
  0  reached; the line says whether it validates
  2  usage, or the stack file cannot be read
  3  the API server was not reached
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `preview`."""
    parser = subparsers.add_parser(
        "preview",
        help="whether the API server will validate a preview",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    flags.add_stack(parser)


def run(args: argparse.Namespace) -> int:
    """Print the verdict, and into the workflow's summary where there is one; the exit code."""
    try:
        settings = stack_file.read(args.stack)
    except stack_file.StackFileError as error:
        print(f"ops preview: {error}", file=sys.stderr)
        return 2
    reason = unreachable()
    if reason is not None:
        _report(f"preview: the API server was not reached, so nothing could be validated: {reason}")
        return 3
    missing, namespace = missing_rights(settings), stack_file.namespace(settings)
    if missing:
        _report(f"server-validated: no. This user may not {', '.join(missing)} in namespace {namespace}.")
    else:
        _report("server-validated: yes. Every create and update is checked by the API server's dry run.")
    return 0


def unreachable() -> str | None:
    """None when the API server answers, else the reason why it does not."""
    try:
        kubectl.run(["get", "--raw", "/version"])
    except kubectl.KubectlError as error:
        return str(error)
    return None


def kinds(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds that the program may register with these settings."""
    operator = (settings.get("orka-ppm:monitoring") or {}).get("mode") == "operator"
    return (*REGISTERED, *OPERATORS) if operator else REGISTERED


def missing_rights(settings: Mapping[str, Any]) -> list[str]:
    """The rights a server-side dry run needs and this user lacks, such as `patch deployments.apps`."""
    namespace = stack_file.namespace(settings)
    return [f"{verb} {kind}" for kind in kinds(settings) for verb in VERBS if not _may(verb, kind, namespace)]


def _may(verb: str, kind: str, namespace: str) -> bool:
    try:
        return kubectl.run(["auth", "can-i", verb, kind, "--namespace", namespace]).strip() == "yes"
    except kubectl.KubectlError:
        # So kubectl ends where the answer is no.
        return False


def _report(line: str) -> None:
    print(line)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a") as file:
            file.write(line + "\n\n")
