"""The guide's message to Slack, once everything was verified: bounded, and tried again where it helps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "Staging deployment complete"
TIMEOUT_S = 10.0
DEADLINE_S = 90.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
TOO_MANY = 429


class NotToldError(Exception):
    """Slack was not told; the message has no address, which is a secret."""


def announce(
    url: str,
    text: str,
    *,
    deadline_s: float = DEADLINE_S,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Post the text once; again after a 429, a 5xx or no answer, until the time is over.

    Raises:
        NotToldError: Slack refused, or the time is over.
    """
    ends, pause = now() + deadline_s, FIRST_PAUSE_S
    while True:
        reason, wait = _try(url, text)
        if reason is None:
            return
        if wait is None:
            raise NotToldError(f"Slack refused the message: {reason}; is slack-webhook-url still valid?")
        wait = max(wait, pause)
        if now() + wait > ends:
            raise NotToldError(f"Slack took no message within {deadline_s:.0f} s: {reason}; `up` tries again")
        sleep(wait)
        pause = min(2 * pause, LONGEST_PAUSE_S)


def _try(url: str, text: str) -> tuple[str | None, float | None]:
    """Why it did not work, None where it did; and how long Slack wants to be left alone, None: for ever."""
    try:
        answer = httpx.post(url, json={"text": text}, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
        return type(error).__name__, 0.0
    if answer.is_success:
        return None, None
    reason = f"code {answer.status_code}"
    if answer.status_code == TOO_MANY:
        return reason, _seconds(answer.headers.get("retry-after", ""))
    return reason, 0.0 if answer.is_server_error else None


def _seconds(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
