"""`ops adopt`: what one `up` with `cluster.take-over` would do to a namespace that was made by hand.

Asks `pulumi preview` what is wanted and the API server, by dry run, what would become of each object. It
changes nothing. Texts that people choose (variables, data, arguments, annotations) are named and never shown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from ops import flags
from ops.adopt import screen, wanted
from ops.adopt.cluster import Cluster
from ops.cluster.kubectl import KubectlError

PULUMI_SECONDS = 300
_EPILOG = """\
`take over`: the object is there and becomes the stack's, with these changes. `cannot`: the API server would
refuse; the line says why and what helps. `left alone`: no `up` touches it. `new`: it is not there yet.
Leave cluster.take-over at false while you ask: a preview with true ends at the first object that is refused.

exit codes:
  0  nothing is in the way
  1  something is, and is named
  2  usage, or the preview cannot be had or read
  3  the cluster gave no answer, or not the right to ask for a dry run
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `adopt`."""
    parser = subparsers.add_parser(
        "adopt",
        help="what an `up` would take over of a namespace made by hand",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    flags.add_stack(parser)
    parser.add_argument(
        "--preview",
        metavar="FILE",
        help="what `pulumi preview --json --show-sames` said; else it is asked",
    )
    flags.add_context(parser)


def run(args: argparse.Namespace) -> int:
    """Show it; the exit code."""
    try:
        asked = wanted.read(
            Path(args.preview).read_text(encoding="utf-8") if args.preview else _preview(args.stack)
        )
    except (OSError, UnicodeDecodeError, wanted.PreviewError) as error:
        print(f"ops adopt: {args.preview or 'the preview'}: {error}", file=sys.stderr)
        return 2
    try:
        findings = Cluster(args.context).findings(asked)
    except KubectlError as error:
        print(f"ops adopt: {error}", file=sys.stderr)
        return 3
    if args.json:
        print(json.dumps(screen.json(asked.namespace, findings), indent=2))
    else:
        print(screen.text(asked.namespace, findings))
    return 1 if any(finding.in_the_way for finding in findings) else 0


def _preview(stack: str) -> str:
    """What the stack's preview says; where it failed, its own text says why.

    Raises:
        PreviewError: pulumi is missing, says nothing or does not answer in time.
    """
    command = ["pulumi", "preview", "--json", "--show-sames", "--non-interactive", "-s", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PULUMI_SECONDS, check=False)
    except FileNotFoundError:
        raise wanted.PreviewError("pulumi is not on PATH; give what it said with --preview FILE") from None
    except subprocess.TimeoutExpired:
        raise wanted.PreviewError(f"pulumi gave no answer within {PULUMI_SECONDS} s") from None
    if done.stdout.lstrip().startswith("{"):
        return done.stdout
    last = done.stderr.strip().splitlines()[-1:] or ["no message"]
    raise wanted.PreviewError(f"`pulumi preview -s {stack}` failed: {last[0]}")
