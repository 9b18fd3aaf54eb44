"""Flags that several commands of `ops` have: they are the same, and lead to the stack's own namespace."""

from __future__ import annotations

import argparse
import importlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from ops import stack_file
from ops.cli import AREAS, main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHARED = {"-s", "--stack", "-n", "--namespace", "--context"}
OF_A_STACK = (
    ("status",),
    ("logs", "backend"),
    ("checks",),
    ("adopt",),
    ("alerts", "test"),
    ("secrets", "import", "FILE"),
    ("secrets", "check", "FILE"),
    ("secrets", "export"),
    ("images", "list"),
    ("images", "pin"),
    ("preview",),
)
OF_A_NAMESPACE = (("status",), ("logs", "backend"), ("alerts", "test"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    areas = parser.add_subparsers()
    for module in AREAS.values():
        importlib.import_module(module).add_parser(areas)
    return parser


def _flags(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All flags of a command and of those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _flags(below)
        elif action.option_strings:
            yield action


def test_a_shared_flag_is_the_same_in_every_command() -> None:
    found = defaultdict(list)
    for flag in _flags(_parser()):
        for name in SHARED & {*flag.option_strings}:
            found[name].append((tuple(flag.option_strings), flag.default, flag.metavar, flag.help))
    assert {name: len(flags) for name, flags in found.items()} == {
        "-s": len(OF_A_STACK),
        "--stack": len(OF_A_STACK),
        "-n": len(OF_A_NAMESPACE),
        "--namespace": len(OF_A_NAMESPACE),
        "--context": 5,
    }
    assert {name: len(set(flags)) for name, flags in found.items()} == dict.fromkeys(SHARED, 1)


@pytest.mark.parametrize("command", OF_A_STACK, ids=" ".join)
def test_a_command_is_about_staging_unless_it_is_told_which_stack(command: tuple[str, ...]) -> None:
    assert _parser().parse_args([*command]).stack == "staging"
    assert _parser().parse_args([*command, "-s", "other"]).stack == "other"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command beside a cluster and a Pulumi that refuse; the namespace that kubectl was asked about."""
    for name in ("kubectl", "pulumi"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/{name}.argv\nexit 1\n')
        program.chmod(0o755)
    (tmp_path / "stack.yaml").write_text("config: {'orka-ppm:cluster': {namespace: audit}}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv(stack_file.ELSEWHERE, str(tmp_path / "stack.yaml"))

    def run(*command: str) -> str:
        assert main(command) == 3, "there is no cluster"
        words = (tmp_path / "kubectl.argv").read_text().splitlines()[-1].split()
        return words[words.index("--namespace") + 1]

    return run


@pytest.mark.parametrize("command", OF_A_NAMESPACE, ids=" ".join)
def test_a_command_asks_in_the_stacks_own_namespace_unless_it_is_told_where(
    asked: Callable[..., str], command: tuple[str, ...]
) -> None:
    assert asked(*command) == "audit"
    assert asked(*command, "-n", "other") == "other"


def test_the_stacks_outputs_know_where_it_was_deployed(asked: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({"namespace": "deployed"}))
    assert asked("status", "--outputs", str(file)) == "deployed"
    assert asked("status", "--outputs", str(file), "-n", "other") == "other"


@pytest.mark.parametrize("command", OF_A_NAMESPACE, ids=" ".join)
def test_without_the_stacks_file_it_is_said_where_is_asked(
    asked: Callable[..., str],
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv(stack_file.ELSEWHERE)
    assert asked(*command, "-s", "typo") == "staging"
    told = "Pulumi.typo.yaml: No such file or directory; the namespace is taken to be staging"
    assert told in capsys.readouterr().err
