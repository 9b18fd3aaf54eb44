"""The command line explains itself."""

from __future__ import annotations

import re

import pytest

from ops import cli
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
