"""The flags that several commands have: one name, one help text and one default each."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ops import stack_file

if TYPE_CHECKING:
    import argparse


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Add `--stack`."""
    parser.add_argument("-s", "--stack", default="staging", help="Pulumi's stack; default: %(default)s")


def add_namespace(parser: argparse.ArgumentParser) -> None:
    """Add `--namespace`, which `namespace` reads, and `--stack`, whose namespace is the default."""
    add_stack(parser)
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="the application's; default: the stack's, else staging"
    )


def add_context(parser: argparse.ArgumentParser) -> None:
    """Add `--context`."""
    parser.add_argument("--context", metavar="NAME", help="the kubeconfig's context to ask by")


def namespace(args: argparse.Namespace, deployed: str | None = None) -> str:
    """Return the application's: as given, as `deployed` by the stack's outputs, or as its file says.

    Where there is no such file it is the settings' default, and standard error has a line about it.
    """
    if chosen := args.namespace or deployed:
        return str(chosen)
    try:
        return stack_file.namespace(stack_file.read(args.stack))
    except stack_file.StackFileError as error:
        default = stack_file.default_namespace()
        print(f"ops {args.area}: {error}; the namespace is taken to be {default}", file=sys.stderr)
        return default
