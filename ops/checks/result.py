"""What a run of the checks found. The JSON of :class:`RunResult` is a fixed format, like the exit codes.

    {"schema_version": 1, "release_id": "…", "verdict": "passed|failed|errored", "started_at": "…Z",
     "duration_ms": 812, "checks": [{"name": "database", "kind": "health|functional", "verdict": "…",
     "reason": null, "latency_ms": 14, "url": "https://…", "attempts": 1}]}

`failed` means that an answer came and was not the expected one; `errored` that there was none to judge.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["passed", "failed", "errored"]
Kind = Literal["health", "functional"]


class Exit(IntEnum):
    """Exit codes of `ops checks`. Other programs depend on them: add, never renumber."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    ERRORED = 3


class CheckResult(BaseModel):
    """One check: its verdict, the reason when it did not pass, milliseconds of its last attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    verdict: Verdict
    reason: str | None
    latency_ms: int | None
    url: str
    attempts: int


class RunResult(BaseModel):
    """All checks of one run. `started_at` is UTC, ISO 8601; `duration_ms` covers the whole run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    release_id: str
    verdict: Verdict
    started_at: str
    duration_ms: int
    checks: tuple[CheckResult, ...]


def overall(checks: tuple[CheckResult, ...]) -> Verdict:
    """Return the run's verdict. A failed check outweighs an errored one; nothing run is no pass."""
    verdicts = {check.verdict for check in checks}
    if "failed" in verdicts:
        return "failed"
    return "passed" if verdicts == {"passed"} else "errored"


def exit_code(verdict: Verdict) -> Exit:
    """Return the exit code that stands for a verdict."""
    return {"passed": Exit.PASSED, "failed": Exit.FAILED, "errored": Exit.ERRORED}[verdict]
