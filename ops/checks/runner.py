"""Runs the checks: health side by side, functional calls in turn, everything within one deadline."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from model.checks import FunctionalCall, HealthCheck
from ops.checks.asking import NoAnswer, Request, ask, milliseconds_since
from ops.checks.connection import ConnectTo, client
from ops.checks.judge import reason_against
from ops.checks.result import CheckResult, RunResult, Verdict, overall
from ops.checks.token import GivenToken, PasswordGrant, access_token, redact, secrets_of

if TYPE_CHECKING:
    import ssl

    import httpx

    from model.checks import ChecksFile

_NOT_RECEIVED = 503
"""The status by which a proxy says that nobody took the request: sending a POST again does no harm."""


@dataclass(frozen=True)
class Limits:
    """Bounds of a run, in seconds: of one attempt, between attempts, of the whole; and attempts per check."""

    timeout: float = 10.0
    pause: float = 1.0
    deadline: float = 120.0
    attempts: int = 3


@dataclass
class _Run:
    http: httpx.AsyncClient
    limits: Limits
    ends: float
    secrets: set[str]
    token: str | None = None
    bodies: dict[str, bytes] = field(default_factory=dict)

    def left(self) -> float:
        return self.ends - time.monotonic()


def run(
    checks: ChecksFile,
    origin: GivenToken | PasswordGrant | None,
    limits: Limits,
    rules: tuple[ConnectTo, ...],
    context: ssl.SSLContext,
) -> RunResult:
    """Run all checks and return what they found; never raises for what a checked service does.

    `origin` may be None when no call of the file needs a token.
    """
    return asyncio.run(_run(checks, origin, limits, rules, context))


async def _run(
    checks: ChecksFile,
    origin: GivenToken | PasswordGrant | None,
    limits: Limits,
    rules: tuple[ConnectTo, ...],
    context: ssl.SSLContext,
) -> RunResult:
    started, begun = datetime.now(UTC), time.monotonic()
    async with client(rules, context) as http:
        state = _Run(http, limits, begun + limits.deadline, set(secrets_of(origin)) if origin else set())
        results = list(await asyncio.gather(*(_judge(state, check) for check in checks.health)))
        if any(call.auth for call in checks.functional):
            results += await _log_in(state, origin)
        for call in checks.functional:
            results.append(await _judge(state, call))
    found = tuple(results)
    return RunResult(
        release_id=checks.release_id,
        verdict=overall(found),
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_ms=milliseconds_since(begun),
        checks=found,
    )


async def _log_in(state: _Run, origin: GivenToken | PasswordGrant | None) -> list[CheckResult]:
    """Get the token; a password grant is a check of its own, for a login that fails is a finding."""
    if isinstance(origin, GivenToken):
        state.token = origin.token
    if not isinstance(origin, PasswordGrant):
        return []
    result = await _judge(state, origin.call(), {"apikey": origin.anon_key})
    if result.verdict == "passed":
        state.token = access_token(state.bodies[result.name])
        state.secrets.add(state.token)
    return [result]


async def _judge(
    state: _Run, check: HealthCheck | FunctionalCall, headers: dict[str, str] | None = None
) -> CheckResult:
    kind = "health" if isinstance(check, HealthCheck) else "functional"

    def result(verdict: Verdict, reason: str | None, latency: int | None, attempts: int) -> CheckResult:
        return CheckResult(
            name=check.name,
            kind=kind,
            verdict=verdict,
            reason=redact(reason, state.secrets) if reason else None,
            latency_ms=latency,
            url=check.url,
            attempts=attempts,
        )

    sent = dict(headers or {})
    if isinstance(check, FunctionalCall) and check.auth:
        if state.token is None:
            return result("errored", "there is no token to call with", None, 0)
        sent["authorization"] = f"Bearer {state.token}"
    functional = check if isinstance(check, FunctionalCall) else None
    request = Request(
        functional.method if functional else "GET", check.url, functional.body if functional else None, sent
    )
    safe = request.method == "GET"
    outcome = result("errored", "not asked: the time for all checks had run out", None, 0)
    for attempt in range(1, state.limits.attempts + 1):
        if attempt > 1:
            await asyncio.sleep(max(0.0, min(state.limits.pause, state.left())))
        if state.left() <= 0:
            break
        answer = await ask(state.http, request, min(state.limits.timeout, state.left()))
        if isinstance(answer, NoAnswer):
            outcome = result("errored", answer.reason, None, attempt)
            # What may have been done already (a POST that was received) is never sent twice.
            again = not answer.final and (safe or not answer.received)
        else:
            state.bodies[check.name] = answer.body
            reason = reason_against(check, answer)
            outcome = result("failed" if reason else "passed", reason, answer.latency_ms, attempt)
            again = safe or answer.status == _NOT_RECEIVED
        if outcome.verdict == "passed" or not again:
            break
    return outcome
