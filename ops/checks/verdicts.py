"""From what the checks came to, to what it says about the release. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.check_kinds import HealthCheck

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from model.check_kinds import Check
    from ops.checks.result import CheckResult, RunResult, Verdict


def excused(
    found: Iterable[CheckResult], checks: Iterable[Check], of_others: Container[str]
) -> tuple[CheckResult, ...]:
    """Return the results with those made inconclusive that a red check of others explains.

    Such a result no longer counts: what explains it is reported by itself. `of_others` names the health
    addresses whose `status` alone is wrong: no answer and a wrong version are their own.
    """
    results = tuple(found)
    red = {result.name for result in results if result.verdict != "passed"}
    by = {
        check.name: [name for name in check.excused_by if name in red]
        for check in checks
        if check.name in of_others or not isinstance(check, HealthCheck)
    }
    return tuple(
        result.model_copy(
            update={
                "verdict": "inconclusive",
                "critical": False,
                "reason": f"{result.reason} (explained by {', '.join(by[result.name])})",
            }
        )
        if result.verdict != "passed" and by.get(result.name)
        else result
        for result in results
    )


def compared(found: Iterable[CheckResult], baseline: RunResult | None) -> tuple[CheckResult, ...]:
    """Return the results beside a baseline: what was red before says nothing about this release."""
    if baseline is None:
        return tuple(found)
    before: Mapping[str, Verdict] = {check.name: check.verdict for check in baseline.checks}
    return tuple(_beside(result, before.get(result.name)) for result in found)


def overall(checks: Iterable[CheckResult]) -> Verdict:
    """Return the run's verdict, by the critical checks. Failed outweighs errored outweighs inconclusive.

    Nothing run is no pass.
    """
    results = tuple(checks)
    verdicts = {check.verdict for check in results if check.critical}
    order: tuple[Verdict, ...] = ("failed", "errored", "inconclusive")
    worst = next((verdict for verdict in order if verdict in verdicts), None)
    return worst or ("passed" if results else "errored")


def degraded(checks: Iterable[CheckResult]) -> tuple[str, ...]:
    """Return the names of the red checks that do not count."""
    return tuple(check.name for check in checks if check.verdict != "passed" and not check.critical)


def _beside(result: CheckResult, before: Verdict | None) -> CheckResult:
    if result.verdict == "passed" or before in (None, "passed"):
        return result.model_copy(update={"before": before})
    return result.model_copy(
        update={
            "before": before,
            "verdict": "inconclusive",
            "reason": f"{result.reason} (was {before} in the baseline too)",
        }
    )
