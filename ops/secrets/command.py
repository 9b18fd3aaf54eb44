"""`ops secrets`: import and export the guide's file, or make the keys that data depends on.

Values travel by standard input to `pulumi config set --secret`: never in argv, never printed.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from model.project import PROJECT
from model.secrets import SECRETS, SecretSpec
from ops import flags
from ops.counted import counted
from ops.secrets import export
from ops.secrets.envfile import EnvFileError, parse
from ops.secrets.others import left_out, public_faults

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_S = 60
GENERATED = {"ENCRYPTION_KEY": 32, "ENCRYPTION_SALT": 16, "JWT_SECRET": 48}
EXIT_CODES = """exit codes:
   0  done
   1  a value is refused, or there is none; nothing was set
   2  usage, or the file cannot be read or made
   3  pulumi refused; what was set before is named"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `secrets` and its verbs."""
    parser = subparsers.add_parser(
        "secrets",
        help="the stack's secrets",
        description=__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, text in (
        ("import", "check every value of a file like the guide's .env.staging, then set each as a secret"),
        ("check", "check every value of such a file; sets nothing"),
    ):
        one = verbs.add_parser(verb, help=text, description=text)
        one.add_argument("file", type=Path, help="NAME=value lines")
        flags.add_stack(one)
    text = "write the stack's secrets as such a file"
    export.add_arguments(verbs.add_parser("export", help=text, description=text))
    verbs.add_parser("generate", help="print good values for the keys that are given, not made by the stack")


def run(args: argparse.Namespace) -> int:
    """Run one verb; its exit code."""
    if args.verb == "export":
        return export.run(args)
    return _generate() if args.verb == "generate" else _judge(args)


def _generate() -> int:
    for name, count in GENERATED.items():
        print(f"{name}={base64.urlsafe_b64encode(secrets.token_bytes(count)).decode()}")
    return 0


def _judge(args: argparse.Namespace) -> int:
    """Check the values of a file, and set them where that is what was asked."""
    try:
        variables = parse(args.file.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as error:
        _say(f"{args.file}: cannot be read: {type(error).__name__}")
        return 2
    except EnvFileError as error:
        _say(f"{args.file}: {error}")
        return 2
    found = {spec: variables[spec.variable] for spec in SECRETS if variables.get(spec.variable)}
    if others := left_out(variables):
        _say(f"no secrets, so left out; the stack file decides, compare: {', '.join(others)}")
    faults = [*faults_of(found), *public_faults(variables)]
    for fault in faults:
        _say(f"{args.file}: {fault}")
    if faults:
        _say(f"{counted(len(faults), 'value is', 'values are')} refused; nothing was set")
        return 1
    if not found:
        _say(f"{args.file}: holds none of {', '.join(s.variable for s in SECRETS)}")
        return 1
    _report_missing(found)
    return 0 if args.verb == "check" else _set_all(found, args.stack)


def _say(text: str) -> None:
    print(f"ops secrets: {text}", file=sys.stderr)


def faults_of(found: Mapping[SecretSpec, str]) -> list[str]:
    """What is wrong with the values, values never shown."""
    judged = {spec: spec.rule(value) for spec, value in found.items()}
    return [f"{spec.variable} {problem}" for spec, problem in judged.items() if problem is not None]


def _report_missing(found: Mapping[SecretSpec, str]) -> None:
    missing = [spec.variable for spec in SECRETS if spec not in found]
    if missing:
        _say(f"not in the file: {', '.join(missing)}")


def _set_all(found: Mapping[SecretSpec, str], stack: str) -> int:
    done: list[str] = []
    for spec, value in found.items():
        key = f"{PROJECT}:{spec.key}"
        command = ["pulumi", "config", "set", "--secret", "--stack", stack, "--non-interactive", key]
        try:
            answer = subprocess.run(
                command, input=value, text=True, capture_output=True, timeout=TIMEOUT_S, check=False
            )
            problem = answer.stderr.strip() if answer.returncode else None
        except FileNotFoundError:
            problem = "there is no pulumi on PATH"
        except subprocess.TimeoutExpired:
            problem = f"pulumi did not answer within {TIMEOUT_S} s"
        if problem is not None:
            _say(f"{key}: {problem.replace(value, '[secret]')}")
            _say(f"set before: {', '.join(done) or 'nothing'}")
            return 3
        done.append(key)
        print(f"[{len(done)}/{len(found)}] {key} set")
    return 0
