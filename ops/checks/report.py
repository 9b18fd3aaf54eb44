"""How a result is shown: a table in the terminal, a few lines as the termination message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.checks.result import RunResult

TERMINATION_BYTES = 4096
"""What Kubernetes keeps of a termination message."""

_DEFAULT_LOG = "/dev/termination-log"
_WAY_BACK = "The new version is serving. To go back: git checkout PREVIOUS && pulumi refresh && pulumi up"


def table(result: RunResult) -> str:
    """Return the checks as an aligned table with the run's verdict below."""
    head = ("CHECK", "KIND", "VERDICT", "MS", "TRIES", "URL")
    rows = [
        (
            check.name,
            check.kind,
            check.verdict,
            "-" if check.latency_ms is None else str(check.latency_ms),
            str(check.attempts),
            check.url,
        )
        for check in result.checks
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True)).rstrip()]
    for row, check in zip(rows, result.checks, strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if check.reason:
            lines.append(f"  └ {check.reason}")
    lines.append(f"{result.verdict.upper()}: {summary(result)}")
    return "\n".join(lines)


def summary(result: RunResult) -> str:
    """Return one line: how many of how many passed, for which release, in what time."""
    passed = sum(check.verdict == "passed" for check in result.checks)
    return (
        f"{passed} of {len(result.checks)} checks passed, release {result.release_id}, "
        f"{result.duration_ms / 1000:.1f} s"
    )


def cause(result: RunResult) -> str:
    """Return why the run is not green, a line each, with the way back: the gate's message."""
    lines = [f"checks {result.verdict}: {summary(result)}"]
    lines += [
        f"- {check.name} {check.verdict}: {check.reason} ({check.url})"
        for check in result.checks
        if check.verdict != "passed"
    ]
    return "\n".join([*lines, _WAY_BACK])


def write_termination(text: str, environment: Mapping[str, str]) -> None:
    """Write the cause to where Kubernetes reads it: TERMINATION_LOG, else the default file where it exists.

    A log that cannot be written must not hide the verdict: the failure to write is passed over.
    """
    configured = environment.get("TERMINATION_LOG")
    log = Path(configured or _DEFAULT_LOG)
    if configured is None and not log.exists():
        return
    try:
        log.write_bytes(text.encode()[:TERMINATION_BYTES])
    except OSError:
        return
