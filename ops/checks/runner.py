"""Runs the checks: what needs nothing side by side, calls in turn, then rows and times, in one deadline."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from model.check_kinds import Check, FunctionalCall, HealthCheck, LatencyCheck
from model.check_surroundings import (
    AssetsCheck,
    BrowserCheck,
    BundleCheck,
    CatalogCheck,
    CronJobsCheck,
    DnsCheck,
    KeyCheck,
    LogsCheck,
    PodsCheck,
    RowCheck,
    TlsCheck,
)
from model.checks import kind_of
from ops.checks import address, browser, calls, catalog, cluster, frontend, keys, rows, verdicts
from ops.checks.asking import milliseconds_since
from ops.checks.connection import client
from ops.checks.latency import latency
from ops.checks.result import CheckResult, Outcome, RunResult
from ops.checks.retry import until_answered
from ops.checks.sanitise import KNOWN
from ops.checks.session import Session
from ops.checks.token import GivenToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from model.check_surroundings import NotHere
    from model.checks import ChecksFile
    from ops.checks.session import Means
    from ops.checks.token import PasswordGrant

_JUDGES: dict[type[Check], Callable[[Session, Any], Awaitable[Outcome]]] = {
    HealthCheck: calls.health,
    FunctionalCall: calls.call,
    TlsCheck: address.certificate,
    DnsCheck: address.resolves,
    AssetsCheck: frontend.complete,
    BundleCheck: frontend.bundle,
    BrowserCheck: browser.loads,
    LatencyCheck: latency,
    PodsCheck: cluster.pods,
    CronJobsCheck: cluster.cron_jobs,
    LogsCheck: cluster.logs,
    CatalogCheck: catalog.contract,
    RowCheck: rows.row,
    KeyCheck: keys.taken,
}

_IN_TURN = (FunctionalCall, CatalogCheck, RowCheck, BrowserCheck, LatencyCheck)


def run(
    checks: ChecksFile,
    means: Means,
    *,
    not_run: tuple[NotHere, ...] = (),
    baseline: RunResult | None = None,
    seen: Callable[[CheckResult], None] = lambda _: None,
) -> RunResult:
    """Run all checks and return what they found; never raises for what a checked service does.

    `seen` is told of each result when it is there, before a baseline or a red check of others explains it.
    """
    return asyncio.run(_run(checks, means, not_run, baseline, seen))


async def _run(
    checks: ChecksFile,
    means: Means,
    not_run: tuple[NotHere, ...],
    baseline: RunResult | None,
    seen: Callable[[CheckResult], None],
) -> RunResult:
    started, begun = datetime.now(UTC), time.monotonic()
    of_others: set[str] = set()
    async with client(means.rules, means.context) as http:
        session = Session(http, means, begun + means.limits.deadline, means.credentials.secrets())
        KNOWN.set(session.secrets)

        async def one(check: Check) -> CheckResult:
            outcome = await _bounded(session, check)
            if outcome.of_others:
                of_others.add(check.name)
            result = _result(session, check, outcome)
            seen(result)
            return result

        alone = [check for check in checks.all() if not isinstance(check, _IN_TURN)]
        found = list(await asyncio.gather(*(one(check) for check in alone)))
        if (
            any(call.auth for call in checks.functional)
            or checks.latency
            or checks.database
            or checks.browser
        ):
            found += await _log_in(session, checks, seen)
        # In turn: a call may need what the one before it gave, and times are taken when nothing else runs.
        for check in _one_by_one(checks):
            found.append(await one(check))
    judged = verdicts.excused(verdicts.compared(found, baseline), checks.all(), of_others)
    return RunResult(
        release_id=checks.release_id,
        verdict=verdicts.overall(judged),
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_ms=milliseconds_since(begun),
        checks=judged,
        degraded=verdicts.degraded(judged),
        not_run=not_run,
    )


def _one_by_one(checks: ChecksFile) -> tuple[Check, ...]:
    """What runs by itself: reading the contract alone would keep every answer waiting that is being timed."""
    return (*checks.functional, *checks.catalog, *checks.database, *checks.browser, *checks.latency)


async def _log_in(
    session: Session, checks: ChecksFile, seen: Callable[[CheckResult], None]
) -> list[CheckResult]:
    """Get the tokens; a password grant is a check of its own, for a login that fails is a finding."""
    known = session.means.credentials
    needs_other = any(call.caller == "other-tenant" for call in checks.functional)
    results: list[CheckResult] = []
    if isinstance(known.checker, GivenToken):
        session.token = known.checker.token
    elif known.checker is not None:
        session.token = await _granted(session, known.checker, results)
    if needs_other and known.other is not None:
        session.other_token = await _granted(session, known.other, results)
    for result in results:
        seen(result)
    return results


async def _granted(session: Session, grant: PasswordGrant, results: list[CheckResult]) -> str | None:
    given = grant.call()
    outcome = await _caught(calls.grant(session, given, {"apikey": grant.anon_key}))
    token = session.captured.pop("access_token", None)
    if token is not None:
        session.secrets.add(token)
    results.append(_result(session, given, outcome))
    return token if outcome.verdict == "passed" else None


async def _bounded(session: Session, check: Check) -> Outcome:
    if session.left() <= 0:
        return Outcome("errored", "not asked: the time for all checks had run out", attempts=0)
    return await until_answered(session, lambda: _caught(_JUDGES[type(check)](session, check)))


async def _caught(judging: Awaitable[Outcome]) -> Outcome:
    """One answer that nobody thought of ends one check, and not the run with all its results."""
    try:
        return await judging
    except Exception as error:  # noqa: BLE001 - that is the point
        # The class alone: the text may hold a token.
        return Outcome("errored", f"the check itself failed on what it got: {type(error).__name__}")


def _result(session: Session, check: Check, outcome: Outcome) -> CheckResult:
    return CheckResult(
        name=check.name,
        kind=kind_of(check),
        verdict=outcome.verdict,
        reason=session.hide(outcome.reason),
        latency_ms=outcome.latency_ms,
        url=_asked(check),
        attempts=outcome.attempts,
        critical=check.critical,
        samples=outcome.samples,
    )


def _asked(check: Any) -> str:
    if isinstance(check, TlsCheck):
        return f"tls://{check.host}:{check.port}"
    if isinstance(check, DnsCheck):
        return f"dns:{check.host}"
    if isinstance(check, PodsCheck | CronJobsCheck | LogsCheck):
        return f"namespace {check.namespace}"
    return "database" if isinstance(check, RowCheck | CatalogCheck) else str(check.url)
