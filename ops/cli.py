"""The `ops` command: hands each area to its own module, importing only what is asked for."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each module has add_parser(subparsers), which adds the area's parser, and run(args) -> exit code.
AREAS = {
    "migrate": "ops.migrate.command",
    "checks": "ops.checks.command",
    "checker": "ops.checker.command",
    "adopt": "ops.adopt.command",
    "alerts": "ops.alerts.command",
    "kube-metrics": "ops.kube_metrics.command",
    "status": "ops.status.command",
    "logs": "ops.status.logs",
    "secrets": "ops.secrets.command",
    "images": "ops.images.command",
    "preview": "ops.preview",
}


INTERRUPTED = 143
"""The exit code after SIGTERM or SIGINT, of every area."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ops AREA ...` and return its exit code. SIGTERM interrupts it as Ctrl-C does."""
    if threading.current_thread() is threading.main_thread():
        # As the first process of a container nothing else would end it; psycopg cancels its statement.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="ops",
        description="Operate the audit trail.",
        epilog=f"Interrupted (SIGTERM, Ctrl-C), each clears away what it began: exit code {INTERRUPTED}.",
    )
    subparsers = parser.add_subparsers(dest="area", required=True, metavar="AREA")
    asked = {arguments[0]} if arguments and arguments[0] in AREAS else set(AREAS)
    modules = {area: importlib.import_module(AREAS[area]) for area in AREAS if area in asked}
    for module in modules.values():
        module.add_parser(subparsers)
    args = parser.parse_args(arguments)
    try:
        return int(modules[args.area].run(args))
    except KeyboardInterrupt:
        print(f"ops {args.area}: interrupted", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
