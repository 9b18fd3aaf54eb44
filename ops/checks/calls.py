"""Health addresses and functional calls: asked, judged, asked again where that does no harm."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from model.check_kinds import FunctionalCall, HealthCheck
from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.callers import NoSuchTokenError, token_of
from ops.checks.judge import captures, own_reason_against, reason_against
from ops.checks.result import Outcome
from ops.checks.substitute import MissingError, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops.checks.judge import Answer
    from ops.checks.session import Session

_NOT_RECEIVED = 503
"""The status by which a proxy says that nobody took the request: sending a POST again does no harm."""


async def health(session: Session, check: HealthCheck) -> Outcome:
    """Ask a health address until it is well or the attempts are used up."""
    return await _attempts(session, check, Request("GET", check.url))


async def call(session: Session, given: FunctionalCall, headers: Mapping[str, str] | None = None) -> Outcome:
    """Make a call with its token and with what calls before it gave; keep what it captures."""
    sent = dict(headers or {})
    try:
        check = FunctionalCall.model_validate(fill(given.model_dump(), session.captured))
        if check.auth:
            token = _token(session, check)
            if token is None:
                return Outcome("errored", "there is no token to call with", attempts=0)
            session.secrets.add(token)
            sent["authorization"] = f"Bearer {token}"
    except (MissingError, NoSuchTokenError) as error:
        return Outcome("inconclusive", str(error), attempts=0)
    except ValidationError:
        return Outcome("failed", "what an earlier call gave makes no valid request", attempts=0)
    return await _attempts(session, check, Request(check.method, check.url, check.body, sent))


def _token(session: Session, check: FunctionalCall) -> str | None:
    if check.caller == "other-tenant":
        return session.other_token
    if session.token is None:
        return None
    return token_of(check.caller, session.token, session.means.credentials.jwt_secret)


async def _attempts(session: Session, check: HealthCheck | FunctionalCall, request: Request) -> Outcome:
    safe = request.method == "GET"
    samples: list[int] = []
    outcome = Outcome("errored", "not asked: the time for all checks had run out", attempts=0)
    attempts, left = _bounds(session, check)
    for attempt in range(1, attempts + 1):
        if attempt > 1:
            await asyncio.sleep(max(0.0, min(session.limits.pause, left())))
        if left() <= 0:
            break
        answer = await ask(session.http, request, min(session.seconds(), left()))
        if isinstance(answer, NoAnswer):
            outcome = Outcome("errored", answer.reason, None, attempt, tuple(samples))
            # What may have been done already (a POST that was received) is never sent twice.
            again = not answer.final and (safe or not answer.received)
        else:
            samples.append(answer.latency_ms)
            outcome = _judged(check, answer, attempt, tuple(samples))
            again = safe or answer.status == _NOT_RECEIVED
            if outcome.verdict == "passed" and isinstance(check, FunctionalCall):
                session.captured.update(captures(check, answer))
        if outcome.verdict == "passed" or not again:
            break
    return outcome


def _bounds(session: Session, check: HealthCheck | FunctionalCall) -> tuple[int, Callable[[], float]]:
    """How often it may be asked, and the seconds that are left for it: its own, within those of the run."""
    if not isinstance(check, FunctionalCall):
        return session.limits.attempts, session.left
    ends = time.monotonic() + check.deadline_s if check.deadline_s is not None else session.ends
    return check.attempts or session.limits.attempts, lambda: min(session.left(), ends - time.monotonic())


def _judged(
    check: HealthCheck | FunctionalCall, answer: Answer, attempt: int, samples: tuple[int, ...]
) -> Outcome:
    reason = reason_against(check, answer)
    own = own_reason_against(check, answer) if isinstance(check, HealthCheck) and check.excused_by else None
    # What others cannot explain is the news, though it may stand behind a status that they do.
    return Outcome(
        "failed" if reason else "passed",
        own or reason,
        answer.latency_ms,
        attempt,
        samples,
        of_others=bool(reason) and own is None,
    )
