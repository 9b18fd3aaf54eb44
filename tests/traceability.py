"""Reads docs/traceability.txt and renders docs/traceability.md from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = CHECKOUT / "docs" / "traceability.txt"
PAGE = CHECKOUT / "docs" / "traceability.md"
REALISED, MISSING = 5, 4
_HEAD = """\
# Traceability

From every sentence of the deployment guide to what realises it, to the test that proves it, and to the broken
variant that made that test fail. Made from `traceability.txt`: edit that, then
`pytest tests/unit/test_traceability.py --update-golden`. Variants are those of `tests/checks/`.
"""


@dataclass(frozen=True)
class Row:
    """One row. `reason` is why it is not realised, None where it is."""

    number: str
    section: str
    words: str
    where: str = ""
    test: str = ""
    broken: str = ""
    reason: str | None = None


def rows(text: str) -> list[Row]:
    """Return the rows of the source.

    Raises:
        ValueError: a line has another form; it is quoted.
    """
    found, section = [], ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            section = line.removeprefix("== ")
            continue
        cells = [cell.strip() for cell in line.split(" | ")]
        if len(cells) == REALISED and all(cells) and cells[2] != "-":
            found.append(Row(cells[0], section, *cells[1:]))
        elif len(cells) == MISSING and all(cells) and cells[2] == "-":
            found.append(Row(cells[0], section, cells[1], reason=cells[3]))
        else:
            raise ValueError(f"neither a realised row nor one with a reason: {line}")
    return found


def file_of(test: str) -> tuple[Path, str]:
    """The file and the function of a test's short name."""
    file, _, function = test.partition("::")
    return CHECKOUT / "tests" / f"{file}.py", function


def page(found: list[Row]) -> str:
    """Return the page: first what is realised by section, then what is not, with the reasons."""
    missing = [row for row in found if row.reason is not None]
    lines = [_HEAD, f"{len(found)} rows, {len(found) - len(missing)} realised, {len(missing)} not yet."]
    section = None
    for row in found:
        if row.reason is not None:
            continue
        if row.section != section:
            section = row.section
            lines += [
                "",
                f"## {section}",
                "",
                "| row | what | where | test | broken by |",
                "|---|---|---|---|---|",
            ]
        lines.append(f"| {row.number} | {row.words} | `{row.where}` | `{row.test}` | {row.broken} |")
    lines += ["", "## Not realised", "", "| row | what | why |", "|---|---|---|"]
    lines += [f"| {row.number} | {row.words} | {row.reason} |" for row in missing]
    return "\n".join([*lines, ""])
