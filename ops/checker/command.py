"""`ops checker`: serves the health addresses that the application lacks."""

from __future__ import annotations

import argparse
import os
import sys

from ops.checker.probes import DEADLINE_S, REQUIRED, probes
from ops.checker.server import serve
from ops.checker.state import Remembered
from ops.serving import add_address, log_to_stderr, until_told

KEEP_S = {"db": 5.0, "redis": 5.0, "openai": 60.0}
"""How long a state is remembered: OpenAI's is somebody else's time."""

_EPILOG = """\
Answers GET /health/db, /health/redis and /health/openai with {"status", "latency_ms"} and code 200 in any
state; status is healthy or degraded. GET / says that it runs.

environment: DATABASE_URL, REDIS_URL, REDIS_PASSWORD, OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_ORG_ID

exit codes:
  0  told to end
  2  a variable is missing, or the address is taken
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `checker`."""
    parser = subparsers.add_parser(
        "checker",
        help="serve the health addresses that the application lacks",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_address(parser)


def run(args: argparse.Namespace) -> int:
    """Serve until told to end; the exit code."""
    log_to_stderr()
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        print(f"ops checker: set {', '.join(missing)}", file=sys.stderr)
        return 2
    states = {
        name: Remembered(name, probe, deadline_s=DEADLINE_S[name], keep_s=KEEP_S[name])
        for name, probe in probes(os.environ).items()
    }
    try:
        server = serve(states, args.host, args.port)
    except OSError as error:
        print(f"ops checker: cannot listen on port {args.port}: {error.strerror}", file=sys.stderr)
        return 2
    until_told(server)
    # A probe that hangs must not keep the pod: nothing here has to be finished.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
