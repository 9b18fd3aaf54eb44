"""Checks, their results and a whole run, made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.check_kinds import HealthCheck
from model.check_surroundings import LogsCheck
from ops.checks import verdicts
from ops.checks.result import CheckResult, RunResult, Verdict

if TYPE_CHECKING:
    from model.check_surroundings import NotHere

LOGS = LogsCheck(name="logs", namespace="staging", deployments=("backend", "frontend"))


def result_of(name: str, verdict: Verdict = "passed", **other: Any) -> CheckResult:
    """The result of a check of health; a reason stands in those that did not pass."""
    values: dict[str, Any] = {
        "name": name, "kind": "health", "verdict": verdict, "latency_ms": 12, "url": f"http://{name}/",
        "reason": None if verdict == "passed" else "its <reason>", "attempts": 1, "samples": (12, 40),
    }  # fmt: skip
    return CheckResult(**{**values, **other})


def health_check(name: str, **other: Any) -> HealthCheck:
    """A check of health at an address of its own name."""
    return HealthCheck(name=name, url=f"http://{name}/", **other)


def run_of(*checks: CheckResult, not_run: tuple[NotHere, ...] = ()) -> RunResult:
    """A run with these results, judged."""
    return RunResult(
        release_id="abc", verdict=verdicts.overall(checks), started_at="2026-01-16T02:00:00Z",
        duration_ms=1500, checks=checks, degraded=verdicts.degraded(checks), not_run=not_run,
    )  # fmt: skip
