"""Health addresses and functional calls: asked, judged, asked again where that does no harm."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from model.check_kinds import FunctionalCall, HealthCheck
from ops.checks import patience
from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.callers import NoSuchTokenError, token_of
from ops.checks.judge import captures, own_reason_against, reason_against
from ops.checks.result import Outcome
from ops.checks.substitute import MissingError, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ops.checks.judge import Answer
    from ops.checks.session import Session

# Behind a Service a connection stays with one pod: each question may get another one's answer.
_ANY_POD = {"connection": "close"}


async def health(session: Session, check: HealthCheck) -> Outcome:
    """Ask a health address until it is well, and stays so, or the attempts are used up."""
    asked = Request("GET", check.url, headers=_ANY_POD)
    return await _attempts(session, check, asked, lambda answer: patience.with_health(check, answer))


async def grant(session: Session, check: FunctionalCall, headers: Mapping[str, str]) -> Outcome:
    """Ask for a token; what is sent is a user's own text, in which nothing is filled."""
    asked = Request(check.method, check.url, check.body, headers)
    return await _attempts(session, check, asked, patience.with_grant)


async def call(session: Session, given: FunctionalCall) -> Outcome:
    """Make a call with its token and with what calls before it gave; keep what it captures."""
    sent = {}
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
    asked = Request(check.method, check.url, check.body, sent)
    return await _attempts(session, check, asked, lambda answer: patience.with_call(check, answer))


def _token(session: Session, check: FunctionalCall) -> str | None:
    if check.caller == "other-tenant":
        return session.other_token
    if session.token is None:
        return None
    return token_of(check.caller, session.token, session.means.credentials.jwt_secret)


async def _attempts(
    session: Session,
    check: HealthCheck | FunctionalCall,
    request: Request,
    makes_up: Callable[[Answer | NoAnswer], int],
) -> Outcome:
    """Ask until it is well, the attempts are used up, or one is bad for good.

    `makes_up` says of a bad answer how many good ones in a row make up for it, 0 for none.
    """
    outcome = Outcome("errored", "not asked: the time for all checks had run out", attempts=0)
    attempts, left = _bounds(session, check)
    samples: list[int] = []
    asked = bad = good = 0
    wanted = 1
    while bad < attempts:
        if asked:
            await asyncio.sleep(max(0.0, min(session.limits.pause, left())))
        if left() <= 0:
            break
        answer = await ask(session.http, request, min(session.seconds(), left()))
        asked += 1
        found = _judged(check, answer)
        samples += found.samples
        if found.verdict == "passed":
            good += 1
            if good == wanted:
                outcome = found
                _keep(session, check, answer)
                break
            continue
        outcome, bad, good = found, bad + 1, 0
        more = makes_up(answer)
        if not more:
            break
        wanted = max(wanted, more)
    return replace(outcome, attempts=asked, samples=tuple(samples))


def _keep(session: Session, check: HealthCheck | FunctionalCall, answer: Answer | NoAnswer) -> None:
    if isinstance(check, FunctionalCall) and not isinstance(answer, NoAnswer):
        session.captured.update(captures(check, answer))


def _bounds(session: Session, check: HealthCheck | FunctionalCall) -> tuple[int, Callable[[], float]]:
    """How often it may be asked, and the seconds that are left for it: its own, within those of the run."""
    if not isinstance(check, FunctionalCall):
        return session.limits.attempts, session.left
    ends = time.monotonic() + check.deadline_s if check.deadline_s is not None else session.ends
    return check.attempts or session.limits.attempts, lambda: min(session.left(), ends - time.monotonic())


def _judged(check: HealthCheck | FunctionalCall, answer: Answer | NoAnswer) -> Outcome:
    if isinstance(answer, NoAnswer):
        return Outcome("errored", answer.reason)
    reason = reason_against(check, answer)
    own = own_reason_against(check, answer) if isinstance(check, HealthCheck) and check.excused_by else None
    # What others cannot explain is the news, though it may stand behind a status that they do.
    return Outcome(
        "failed" if reason else "passed",
        own or reason,
        answer.latency_ms,
        samples=(answer.latency_ms,),
        of_others=bool(reason) and own is None,
    )
