"""The matrix of broken releases, on the bench and on the twin: what each test says, and the table of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ROW = "a broken release"
"""The property of a test for the table: the variant's name, the verdict, what was red."""


def show(terminal: pytest.TerminalReporter) -> None:
    """Print the table, if there is something in it."""
    rows = [
        value
        for reports in terminal.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == ROW and report.when == "call"
    ]
    if not rows:
        return
    terminal.section("broken releases")
    for name, verdict, red in sorted(rows):
        terminal.write_line(f"{name:40} {verdict:12} {red}")
