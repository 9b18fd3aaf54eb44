"""Shows a key to the service that gave it out: whether it is taken, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.result import Outcome

if TYPE_CHECKING:
    from model.check_surroundings import KeyCheck
    from ops.checks.session import Session

_TAKEN, _REFUSED = 200, (401, 403)


async def taken(session: Session, check: KeyCheck) -> Outcome:
    """Ask until the service says yes or no; that it is away, or in trouble, says nothing about the key."""
    headers = {"apikey": session.means.credentials.keys[check.key_env]}
    request = Request("GET", check.url, headers=headers)
    outcome = Outcome("errored", "not asked: the time for all checks had run out", attempts=0)
    for attempt in range(1, session.limits.attempts + 1):
        answer = await ask(session.http, request, session.seconds())
        if isinstance(answer, NoAnswer):
            outcome = Outcome("errored", answer.reason, None, attempt)
        else:
            outcome = judged(check, answer.status, answer.latency_ms, attempt)
        if outcome.verdict != "errored" or session.left() <= session.limits.pause:
            break
        await asyncio.sleep(session.limits.pause)
    return outcome


def judged(check: KeyCheck, status: int, took: int, attempt: int) -> Outcome:
    """What an answer's status says of the key."""
    if status == _TAKEN:
        return Outcome("passed", None, took, attempt, (took,))
    if status in _REFUSED:
        reason = f"the secret {check.secret} is refused ({status}): set the key that the service shows now"
        return Outcome("failed", reason, took, attempt, (took,))
    return Outcome("errored", f"answered {status}, which says nothing about the key", took, attempt, (took,))
