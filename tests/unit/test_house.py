"""How the program is written: nothing twice, no component for one environment alone, short files."""

from __future__ import annotations

import re

import pytest

from tests.checkout import CHECKOUT
from tests.secrets.files import files
from tests.unit.passages import standing_twice

FOLDERS = ("components", "model", "ops", "policy", "twin")
COMPONENT_LINES, PROGRAM_LINES = 200, 60
_OUT_OF_TESTS = re.compile(r"^\s*(?:from|import) [\w.]*\btest_\w+", re.MULTILINE)

ONE = """
def shares(found):
    names = sorted(found)
    first, *others = names
    total = sum(found[name] for name in names)

    if total > len(others):
        print(first)
    return {name: found[name] / total for name in others}
"""
OTHERWISE_SPACED = """
import os

async def parts(found):
    # Another comment.
    if os.name:
        names = sorted(found)
        first, *others  = names
        total = sum(found[name] for name in names)
        if total > len(others):
            print(first)  # the first
        return {name: found[name] / total for name in others}
"""
IMPORTS = "from a import (\n    b,\n    c,\n    d,\n    e,\n    f,\n    g,\n)\n"
SIGNATURE = "\ndef made(\n    b,\n    c,\n    d,\n    e,\n    f,\n    g,\n):\n    return "


def _texts(*folders: str) -> dict[str, str]:
    """Python files by name."""
    inside = [file for file in files() if file.endswith(".py") and file.partition("/")[0] in folders]
    return {file: (CHECKOUT / file).read_text() for file in inside}


def _faults_of_components(texts: dict[str, str]) -> list[str]:
    named = [f"{file} names an environment" for file, text in texts.items() if "staging" in text]
    long = [file for file, text in texts.items() if len(text.splitlines()) > COMPONENT_LINES]
    return named + [f"{file} is longer than {COMPONENT_LINES} lines" for file in long]


def _importing_tests(texts: dict[str, str]) -> list[str]:
    return [file for file, text in texts.items() if _OUT_OF_TESTS.search(text)]


def test_no_passage_of_six_lines_stands_twice() -> None:
    texts = _texts(*FOLDERS)
    assert {file.partition("/")[0] for file in texts} == set(FOLDERS)
    assert standing_twice(texts) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (ONE, f"X = 1\n{ONE}", ["one:2 = other:3", "one:3 = other:4"]),
        (ONE, OTHERWISE_SPACED, ["one:3 = other:7"]),
        (ONE, OTHERWISE_SPACED.replace("sum(", "max("), []),
        (f"{IMPORTS}{SIGNATURE}1", f"{IMPORTS}{SIGNATURE}2", []),
    ],
    ids=["to the letter", "spaced and commented otherwise", "another word", "imports and signature alone"],
)
def test_a_passage_that_is_written_again_is_found(one: str, other: str, found: list[str]) -> None:
    assert standing_twice({"one": one, "other": other}) == found


def test_components_name_no_environment_and_are_short() -> None:
    texts = _texts("components")
    assert texts
    assert _faults_of_components(texts) == []


def test_a_component_that_names_one_or_is_long_is_found() -> None:
    texts = {"one": 'NAME = "staging-edge"\n', "two": "x = 1\n" * 201, "three": "x = 1\n" * 200}
    assert _faults_of_components(texts) == ["one names an environment", "two is longer than 200 lines"]


def test_what_tests_share_stands_in_modules_without_tests() -> None:
    texts = _texts("benchmarks", "tests")
    assert texts
    assert _importing_tests(texts) == []


@pytest.mark.parametrize(
    "line", ["from tests.sql.test_apply import made", "    import tests.unit.test_house"]
)
def test_an_import_out_of_a_module_of_tests_is_found(line: str) -> None:
    texts = {"one": f"X = 1\n{line}\n", "two": "from tests.checkout import CHECKOUT\n"}
    assert _importing_tests(texts) == ["one"]


def test_the_program_itself_is_short() -> None:
    assert len((CHECKOUT / "__main__.py").read_text().splitlines()) <= PROGRAM_LINES
