"""What a run of the checks found. The JSON of :class:`RunResult` is a fixed format, like the exit codes.

    {"schema_version": 1, "release_id": "…", "verdict": "passed|failed|errored|inconclusive",
     "started_at": "…Z", "duration_ms": 812, "degraded": ["openai"],
     "not_run": [{"name": "pods", "kind": "pods", "reason": "…"}],
     "checks": [{"name": "database", "kind": "health", "verdict": "…", "reason": null, "latency_ms": 14,
     "url": "https://…", "attempts": 1, "critical": true, "samples": [14], "before": null}]}

`failed` means that an answer came and was not the expected one; `errored` that there was none to judge;
`inconclusive` that the check is red and says nothing about this release: something else explains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from model.check_kinds import Kind  # noqa: TC001 - pydantic reads the annotations
from model.check_surroundings import NotHere  # noqa: TC001

Verdict = Literal["passed", "failed", "errored", "inconclusive"]


class Exit(IntEnum):
    """Exit codes of `ops checks`. Other programs depend on them: add, never renumber."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    ERRORED = 3
    INCONCLUSIVE = 4


@dataclass(frozen=True)
class Outcome:
    """What one check came to. `samples` are milliseconds, one for each answer that came.

    `of_others`: of a health address nothing is wrong but the `status`, for which others answer too.
    `again`: nothing was found out, since the connection or the service was in trouble, or what is wrong may
    be over by then; and asking again does no harm.
    """

    verdict: Verdict
    reason: str | None = None
    latency_ms: int | None = None
    attempts: int = 1
    samples: tuple[int, ...] = ()
    of_others: bool = False
    again: bool = False


class CheckResult(BaseModel):
    """One check: its verdict, the reason when it did not pass, milliseconds of its last attempt.

    `before` is the verdict that a baseline had for it, None without one; `url` says what was asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Kind
    verdict: Verdict
    reason: str | None
    latency_ms: int | None
    url: str
    attempts: int
    critical: bool = True
    samples: tuple[int, ...] = ()
    before: Verdict | None = None


class RunResult(BaseModel):
    """All checks of one run. `started_at` is UTC, ISO 8601; `duration_ms` covers the whole run.

    `degraded` names the red checks that do not count; `not_run` what could not be asked from here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    release_id: str
    verdict: Verdict
    started_at: str
    duration_ms: int
    checks: tuple[CheckResult, ...]
    degraded: tuple[str, ...] = ()
    not_run: tuple[NotHere, ...] = ()


def exit_code(verdict: Verdict) -> Exit:
    """Return the exit code that stands for a verdict."""
    return Exit[verdict.upper()]
