"""`ops alerts`: test the way that alerts take, and tell Slack of a deployment."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import httpx

from ops import flags
from ops.alerts.announce import TEXT, NotToldError, announce
from ops.alerts.rehearsal import NoChannelError, rehearse
from ops.alerts.server import SERVICE, reached
from ops.cluster.kubectl import KubectlError

_EPILOG = """\
test       fires a critical alert at Alertmanager, waits until each channel took it, and resolves it again,
           also when it is interrupted; where Alertmanager is away by then, it ends by itself within minutes
announce   posts {"text": TEXT} to the address in a file

exit codes:
  0  everybody was told
  1  somebody was not
  2  usage, or no channel or address
  3  Alertmanager or the cluster gave no answer
"""
_OPERATORS = (
    "An operator's Alertmanager: --service alertmanager-operated:web --alertmanager-namespace monitoring. "
    "One pod is asked, by `kubectl port-forward`, which needs the rights to get the Service, to get and list "
    "pods, and to get and create pods/portforward. Of several replicas each counts for itself: forward a "
    "port to the one that sends, and --alertmanager http://localhost:9093."
)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `alerts`."""
    parser = subparsers.add_parser(
        "alerts",
        help="test the alerts, tell of a deployment",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    test = verbs.add_parser("test", help="fire a test alert, see it arrive, resolve it", epilog=_OPERATORS)
    test.add_argument("--alertmanager", metavar="URL", help="instead of a pod that kubectl finds")
    flags.add_namespace(test)
    test.add_argument(
        "--service", default=SERVICE, metavar="NAME:PORT", help="Alertmanager's; default: %(default)s"
    )
    test.add_argument(
        "--alertmanager-namespace", metavar="NAME", help="where it is; default: that of the application"
    )
    flags.add_context(test)
    test.add_argument("--wait", type=float, default=60.0, metavar="SECONDS", help="default: %(default)s")
    told = verbs.add_parser("announce", help="tell Slack that a deployment was verified")
    told.add_argument(
        "--url-file", type=Path, required=True, metavar="FILE", help="has the webhook's address"
    )
    told.add_argument("--text", default=TEXT, help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code."""
    return _test(args) if args.verb == "test" else _announce(args)


def _test(args: argparse.Namespace) -> int:
    namespace = flags.namespace(args)
    place = args.alertmanager_namespace or namespace
    try:
        with reached(
            args.alertmanager, service=args.service, namespace=place, context=args.context
        ) as server:
            told = rehearse(
                server, lambda step: print(step, flush=True), wait_s=args.wait, namespace=namespace
            )
    except NoChannelError as error:
        print(f"ops alerts test: {error}", file=sys.stderr)
        return 2
    except KubectlError as error:
        print(f"ops alerts test: {error}", file=sys.stderr)
        return 3
    except httpx.HTTPError as error:
        reason = str(error).splitlines() or [type(error).__name__]
        print(f"ops alerts test: Alertmanager gives no answer: {reason[0]}; `ops status`", file=sys.stderr)
        return 3
    return 0 if told else 1


def _announce(args: argparse.Namespace) -> int:
    try:
        url = args.url_file.read_text().strip()
    except OSError as error:
        print(f"ops alerts announce: {args.url_file}: {error.strerror}", file=sys.stderr)
        return 2
    try:
        announce(url, args.text)
    except NotToldError as error:
        print(f"ops alerts announce: {error}", file=sys.stderr)
        return 1
    print(f"Slack was told: {args.text}")
    return 0
