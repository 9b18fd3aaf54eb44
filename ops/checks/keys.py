"""Shows a key to the service that gave it out: whether it is taken, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.result import Outcome

if TYPE_CHECKING:
    from model.check_surroundings import KeyCheck
    from ops.checks.session import Session

_TAKEN, _REFUSED = 200, (401, 403)


async def taken(session: Session, check: KeyCheck) -> Outcome:
    """Ask once. That the service is away, or in trouble, says nothing about the key: ask again then."""
    headers = {"apikey": session.means.credentials.keys[check.key_env]}
    answer = await ask(session.http, Request("GET", check.url, headers=headers), session.seconds())
    if isinstance(answer, NoAnswer):
        return Outcome("errored", answer.reason, again=True)
    return judged(check, answer.status, answer.latency_ms)


def judged(check: KeyCheck, status: int, took: int) -> Outcome:
    """What an answer's status says of the key."""
    if status == _TAKEN:
        return Outcome("passed", None, took, samples=(took,))
    if status in _REFUSED:
        reason = f"the secret {check.secret} is refused ({status}): set the key that the service shows now"
        return Outcome("failed", reason, took, samples=(took,))
    reason = f"answered {status}, which says nothing about the key"
    return Outcome("errored", reason, took, samples=(took,), again=True)
