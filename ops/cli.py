"""The `ops` command: hands each area to its own module, importing only what is asked for."""

from __future__ import annotations

import argparse
import importlib
import sys
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run `ops AREA ...` and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="ops", description="Operate the audit trail.")
    subparsers = parser.add_subparsers(dest="area", required=True, metavar="AREA")
    asked = {arguments[0]} if arguments and arguments[0] in AREAS else set(AREAS)
    modules = {area: importlib.import_module(AREAS[area]) for area in AREAS if area in asked}
    for module in modules.values():
        module.add_parser(subparsers)
    args = parser.parse_args(arguments)
    return int(modules[args.area].run(args))


if __name__ == "__main__":
    sys.exit(main())
