"""`ops images`: show which images run, and write the digests that an `up` built into the stack file.

A stack with digests needs no Docker, and going back is promised for pinned digests only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from model.project import OWN_IMAGES, PROJECT
from ops import flags

TIMEOUT_S = 60
EXIT_CODES = """exit codes:
   0  done
   2  usage
   3  pulumi refused, or the stack has no outputs yet; what was written before is named"""


class PulumiError(Exception):
    """Pulumi refused; the message holds its own words."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `images` and its verbs."""
    parser = subparsers.add_parser(
        "images",
        help="the images that run, by digest",
        description=__doc__,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    texts = {
        "list": "print the images of the last `up`",
        "pin": "write the digests of the last `up` into the stack file, in place of the builds",
    }
    for verb, text in texts.items():
        one = verbs.add_parser(verb, help=text, description=text)
        flags.add_stack(one)
        one.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Run one verb; its exit code."""
    done: list[str] = []
    try:
        images = running(args.stack)
        if args.verb == "pin":
            pin(images, args.stack, done)
    except PulumiError as error:
        print(f"ops images: {error}", file=sys.stderr)
        if args.verb == "pin":
            print(f"written before: {', '.join(done) or 'nothing'}", file=sys.stderr)
        return 3
    if args.json:
        print(json.dumps({"images": images, "pinned": done}))
    else:
        for name, reference in sorted(images.items()):
            print(f"{name:12}{reference}{'  pinned' if name in done else ''}")
    return 0


def running(stack: str) -> dict[str, str]:
    """The references by digest that the last `up` put out.

    Raises:
        PulumiError: there is no such stack, or no `up` has succeeded.
    """
    found = json.loads(_pulumi("stack", "output", "--json", "--stack", stack)).get("images")
    if not isinstance(found, dict):
        raise PulumiError("the stack has no output `images` yet: run `pulumi up` first")
    return {str(name): str(reference) for name, reference in found.items()}


def pin(images: dict[str, str], stack: str, done: list[str]) -> None:
    """Write digest and repository of each image of ours, and take its build out; names go into `done`.

    A frontend that is hosted elsewhere has none.

    Raises:
        PulumiError: Pulumi refused one; those in `done` are written.
    """
    for name in (name for name in OWN_IMAGES if name in images):
        repository, _, digest = images[name].partition("@")
        place = f"{PROJECT}:images.{name}"
        at = ("--path", "--stack", stack, "--non-interactive")
        _pulumi("config", "set", *at, f"{place}.repository", repository)
        _pulumi("config", "set", *at, f"{place}.digest", digest)
        _pulumi("config", "rm", *at, f"{place}.build")
        done.append(name)


def _pulumi(*arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["pulumi", *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except FileNotFoundError:
        raise PulumiError("there is no pulumi on PATH") from None
    except subprocess.TimeoutExpired:
        raise PulumiError(f"pulumi did not answer within {TIMEOUT_S} s") from None
    if answer.returncode != 0:
        raise PulumiError(answer.stderr.strip() or f"pulumi ended with code {answer.returncode}")
    return answer.stdout
