"""Asks again where a connection was dropped or a pod still starts, within the time of the run.

A wrong answer stays one at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.checks.result import Outcome
    from ops.checks.session import Session


async def until_answered(session: Session, judged: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Return what a check comes to, which is judged anew while its outcome says that this may help."""
    outcome, asked = await judged(), 1
    attempts = outcome.attempts
    while outcome.again and may_ask_again(session, asked):
        await pause(session)
        outcome, asked = await judged(), asked + 1
        attempts += outcome.attempts
    return replace(outcome, attempts=attempts)


def may_ask_again(session: Session, asked: int) -> bool:
    """Say whether there is an attempt left, and time for a whole one."""
    return asked < session.limits.attempts and session.left() > session.limits.timeout


async def pause(session: Session) -> None:
    """Wait as long as between any two attempts."""
    await asyncio.sleep(session.limits.pause)
