"""How `ops checks` ends when the verdict is one thing and a file that it reads or writes another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ops import cli
from ops.checks import runner
from tests.checkout import CHECKOUT
from tests.unit.made_checks import result_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from ops.checks.result import Verdict

HEALTH = {"name": "backend", "url": "http://backend/health"}
LOGS = {"name": "logs", "namespace": "n", "deployments": []}


def _file(folder: Path, **lists: Any) -> str:
    path = folder / "checks.json"
    path.write_text(json.dumps({"release_id": "r", **lists}))
    return str(path)


@pytest.mark.parametrize(("verdict", "code"), [("failed", 1), ("errored", 3), ("passed", 2)])
def test_a_report_that_cannot_be_written_does_not_hide_a_red_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, code: int
) -> None:
    monkeypatch.setattr(runner, "run", lambda *_, **__: run_of(result_of("backend", verdict)))
    junit = tmp_path / "junit.xml"
    arguments = ["checks", "--from-file", _file(tmp_path, health=[HEALTH])]
    arguments += ["--html", str(tmp_path / "nowhere/report.html"), "--junit", str(junit)]
    assert cli.main(arguments) == code
    assert junit.read_text().startswith("<?xml"), "the file that can be written is not"


@pytest.mark.parametrize("closed", [("stdout",), ("stdout", "stderr")])
def test_where_nobody_reads_what_is_shown_the_verdict_and_the_files_stay(
    tmp_path: Path, closed: tuple[str, ...]
) -> None:
    """As with `ops checks | head -1`: the pipe is closed before the checks have ended."""
    junit, cause = tmp_path / "junit.xml", tmp_path / "cause"
    refused = {"name": "backend", "url": "http://127.0.0.1:1/health"}
    arguments = ["--from-file", _file(tmp_path, health=[refused]), "--attempts", "1", "--junit", str(junit)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "ops.cli", "checks", *arguments],
        env={**os.environ, "TERMINATION_LOG": str(cause)}, cwd=CHECKOUT, check=False, timeout=60,
        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, **dict.fromkeys(closed, writing)},
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 3
    assert "Broken" not in (done.stderr or b"").decode()
    assert junit.read_text().startswith("<?xml")
    assert cause.read_text().startswith("checks errored: 0 of 1 checks passed")


@pytest.mark.parametrize(
    ("lists", "place"),
    [
        ({"logs": [LOGS | {"faults": ["("]}]}, "logs.0.faults.0"),
        ({"logs": [LOGS | {"allowed": ["*"]}]}, "logs.0.allowed.0"),
        (
            {"health": [HEALTH | {"assertions": [{"field": "status", "matches": "[a"}]}]},
            "health.0.assertions.0.matches",
        ),
    ],
)
def test_a_pattern_that_is_none_is_named_by_its_place_and_nothing_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lists: dict[str, Any], place: str
) -> None:
    assert cli.main(["checks", "--from-file", _file(tmp_path, **lists)]) == 2
    said = capsys.readouterr().err
    assert f"{place}: Value error, no regular expression: " in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"verification": {"gate": 3.5}}'])
def test_a_file_of_outputs_that_is_none_is_a_wrong_use_as_it_is_of_ops_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    monkeypatch.setenv("ORKA_TOKEN", "a-token")
    file = tmp_path / "outputs.json"
    if text is not None:
        file.write_text(text)
    assert cli.main(["checks", "--outputs", str(file)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("ops checks: ")
    assert str(file) in said.err


def test_outputs_that_pulumi_does_not_give_are_an_answer_that_never_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["checks"]) == 3
    assert "pulumi is not on PATH" in capsys.readouterr().err
