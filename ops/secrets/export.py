"""`ops secrets export`: the stack's secrets in the guide's file format, never to a screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from model.project import PROJECT
from model.secrets import SECRETS
from ops import flags
from ops.secrets.envfile import render

if TYPE_CHECKING:
    import argparse

TIMEOUT_S = 60
FLAG = "--show-secrets"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument(FLAG, action="store_true", help="really write every secret in plain text")
    parser.add_argument("--to", type=Path, metavar="FILE", help="a new file that only you may read")
    flags.add_stack(parser)


class ExportError(Exception):
    """Nothing was written; the message says why, and `code` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def run(args: argparse.Namespace) -> int:
    """Write the file, or to a pipe; the exit code."""
    try:
        _require_consent(args)
        found = _secrets(args.stack)
        if args.to is None:
            sys.stdout.write(render(found))
        else:
            _write(args.to, render(found))
            print(f"{len(found)} secrets written to {args.to}; never commit it, and delete it after use")
    except ExportError as error:
        print(f"ops secrets export: {error}", file=sys.stderr)
        return error.code
    return 0


def _require_consent(args: argparse.Namespace) -> None:
    if not args.show_secrets:
        raise ExportError(2, f"this writes every secret in plain text: add {FLAG} if you mean it")
    if args.to is None and sys.stdout.isatty():
        raise ExportError(
            2, "secrets do not belong on a screen: name a file by --to FILE, or pipe into a command"
        )


def _secrets(stack: str) -> dict[str, str]:
    """The secrets that are set, by the guide's name."""
    command = ["pulumi", "config", FLAG, "--json", "--stack", stack, "--non-interactive"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError:
        raise ExportError(3, "there is no pulumi on PATH") from None
    except subprocess.TimeoutExpired:
        raise ExportError(3, f"pulumi did not answer within {TIMEOUT_S} s") from None
    if answer.returncode != 0:
        raise ExportError(3, f"pulumi refused: {answer.stderr.strip()}")
    known = json.loads(answer.stdout)
    keys = {spec.variable: f"{PROJECT}:{spec.key}" for spec in SECRETS}
    return {variable: known[key]["value"] for variable, key in keys.items() if key in known}


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise ExportError(2, f"{path} cannot be made: {error.strerror}") from None
    with os.fdopen(descriptor, "w", newline="") as file:
        file.write(text)
