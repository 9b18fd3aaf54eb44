"""Every row of the guide is accounted for, every proof named exists, and what is missing only gets less."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.checkout import CHECKOUT
from tests.checks.variants import VARIANTS
from tests.traceability import PAGE, SOURCE, Row, file_of, page, rows

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 141
NOT_REALISED = 36
"""How many rows have no realisation. Lower it with each that gets one; never raise it."""

_MATRIX = "checks/test_variants"
_VARIANTS = {variant.name for variant in VARIANTS}


@pytest.fixture(scope="module")
def found() -> list[Row]:
    return rows(SOURCE.read_text())


def faults(row: Row) -> list[str]:
    """What a row names that does not exist."""
    if row.reason is not None:
        return []
    wrong = []
    if not (CHECKOUT / row.where).exists():
        wrong.append(f"there is no {row.where}")
    file, function = file_of(row.test)
    if not _has(file, function):
        wrong.append(f"there is no test {row.test}")
    if row.broken.startswith("variant "):
        if row.broken.removeprefix("variant ") not in _VARIANTS:
            wrong.append(f"there is no {row.broken}")
        if not row.test.startswith(f"{_MATRIX}::"):
            wrong.append(f"{row.broken} is not what {row.test} runs")
    return wrong


def _has(file: Path, function: str) -> bool:
    return (
        file.exists()
        and re.search(rf"^def {re.escape(function)}\(", file.read_text(), re.MULTILINE) is not None
    )


def test_every_row_is_there_once_and_in_order(found: list[Row]) -> None:
    assert [row.number for row in found] == [f"R{number}" for number in range(1, ROWS + 1)]


def test_everything_that_a_row_names_exists(found: list[Row]) -> None:
    assert {row.number: wrong for row in found if (wrong := faults(row))} == {}


def test_a_row_that_names_what_does_not_exist_is_found(found: list[Row]) -> None:
    row = next(row for row in found if row.broken.startswith("variant "))
    assert faults(row) == []
    assert faults(replace(row, where="ops/nowhere.py")) == ["there is no ops/nowhere.py"]
    assert "there is no test unit/test_x::test_y" in faults(replace(row, test="unit/test_x::test_y"))
    assert faults(replace(row, test=row.test + "_more")) == [f"there is no test {row.test}_more"]
    elsewhere = "unit/test_golden::test_the_manifests_are_the_golden_ones"
    assert faults(replace(row, test=elsewhere)) == [f"{row.broken} is not what {elsewhere} runs"]
    assert faults(replace(row, broken="variant nothing")) == ["there is no variant nothing"]


def test_everything_that_the_page_of_the_originals_faults_names_exists() -> None:
    named = re.findall(r"\| `(test_\w+)` \|$", (CHECKOUT / "sql" / "README.md").read_text(), re.MULTILINE)
    files = list((CHECKOUT / "tests" / "sql").glob("test_*.py"))
    assert len(named) > 15
    assert [name for name in named if not any(_has(file, name) for file in files)] == []


def test_the_number_of_rows_without_realisation_only_falls(found: list[Row]) -> None:
    missing = sum(row.reason is not None for row in found)
    assert missing == NOT_REALISED, "lower NOT_REALISED when it fell; a realised row may not be given up"


@pytest.mark.parametrize(
    "line",
    ["R1 | words", "R1 | words | ops/cli.py | unit/test_x::y", "R1 | words | - | ", "R1 | a | - | b | c"],
)
def test_a_row_without_proof_and_without_reason_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="neither a realised row nor one with a reason"):
        rows(line)


def test_the_page_is_made_from_the_rows(found: list[Row], request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        PAGE.write_text(page(found))
    assert PAGE.read_text() == page(found), "run with --update-golden"
