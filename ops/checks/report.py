"""How a result is shown: a table in the terminal, a few lines as the termination message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.checks.result import CheckResult, RunResult

TERMINATION_BYTES = 4096
"""What Kubernetes keeps of a termination message."""

_DEFAULT_LOG = "/dev/termination-log"
_WAY_BACK = "The new version is serving. To go back: git checkout PREVIOUS && pulumi refresh && pulumi up"


def table(result: RunResult) -> str:
    """Return the checks as an aligned table with the run's verdict below."""
    rows = [("CHECK", "KIND", "VERDICT", "MS", "TRIES", "ASKED"), *(_row(check) for check in result.checks)]
    rows += [(entry.name, entry.kind, "not run", "-", "-", "-") for entry in result.not_run]
    reasons = [None, *(check.reason for check in result.checks), *(entry.reason for entry in result.not_run)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row, reason in zip(rows, reasons, strict=True):
        lines.append("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if reason:
            lines.append(f"  └ {reason}")
    return "\n".join([*lines, f"{result.verdict.upper()}: {summary(result)}"])


def _row(check: CheckResult) -> tuple[str, ...]:
    verdict = check.verdict if check.verdict == "passed" or check.critical else f"{check.verdict} (degraded)"
    milliseconds = "-" if check.latency_ms is None else str(check.latency_ms)
    return (check.name, check.kind, verdict, milliseconds, str(check.attempts), check.url)


def summary(result: RunResult) -> str:
    """Return one line: how many of how many passed, for which release, in what time."""
    passed = sum(check.verdict == "passed" for check in result.checks)
    degraded = f", degraded: {', '.join(result.degraded)}" if result.degraded else ""
    not_run = f", {len(result.not_run)} not run here" if result.not_run else ""
    return (
        f"{passed} of {len(result.checks)} checks passed, release {result.release_id}, "
        f"{result.duration_ms / 1000:.1f} s{degraded}{not_run}"
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
