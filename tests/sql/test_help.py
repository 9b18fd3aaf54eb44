"""The command line explains itself."""

from __future__ import annotations

import argparse
import re

import pytest

from ops import cli
from ops.migrate import command
from ops.migrate.options import LIMITS, WAITS, Options
from ops.migrate.outcome import MEANINGS, ExitCode


def test_the_help_lists_every_exit_code_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["migrate", "--help"])
    shown = capsys.readouterr().out
    assert set(MEANINGS) == set(ExitCode)
    meanings: dict[int, str] = {**MEANINGS, 2: "usage: nothing was asked"}
    listed = shown.partition("exit codes:\n")[2].splitlines()
    assert listed == [f"  {code:3}  {meanings[code]}" for code in sorted(meanings)]


def test_every_area_of_the_command_line_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    # One that is as long as its column has its words on the next line.
    assert all(re.search(rf"^    {area}(\s|$)", shown, re.MULTILINE) for area in cli.AREAS)


def test_a_url_given_as_an_argument_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["migrate", "apply", "postgresql://u:p@h/d"])


def limit(name: str, text: str) -> float:
    """The limit as the command line reads it."""
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    read = parser.parse_args(["migrate", "apply", f"--{name.replace('_', '-')}", text])
    value: float = getattr(read, name)
    return value


# To the server 0, or what is rounded to no millisecond, is no limit; a wait for `nan` seconds never ends.
ENDLESS = [
    *((name, text) for name in (*LIMITS, "connect_wait") for text in ("nan", "inf", "-1", "2147483648", "x")),
    *((name, text) for name in LIMITS if name not in WAITS for text in ("0", "0.0001")),
]


@pytest.mark.parametrize(("name", "text"), ENDLESS)
def test_no_limit_can_be_without_an_end(name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        limit(name, text)
    said = capsys.readouterr().err
    assert re.search(
        f"--{name.replace('_', '-')}: {text} is not from (0|0.001|1) to [0-9]+ (seconds|rows)", said
    )


def test_the_shortest_and_the_longest_limits_are_read() -> None:
    assert (limit("lock_timeout", "0.001"), limit("statement_timeout", "2147483")) == (0.001, 2_147_483)
    assert [limit(name, "0") for name in (*WAITS, "connect_wait")] == [0] * (len(WAITS) + 1)
    assert limit("batch_size", "1") == 1
    assert all(limit(name, str(getattr(Options(), name))) == getattr(Options(), name) for name in LIMITS)
