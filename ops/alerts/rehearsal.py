"""A test alert: fired at Alertmanager, seen to be taken by each channel, resolved, and seen again."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from model.alert_routes import EVERYBODY, TEST_ALERT
from ops.alerts.server import Count, Server, counts, integrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AGAIN_S = 1.0
REFUSED = "REFUSED: kubectl logs deployment/alertmanager says why"


@dataclass(frozen=True)
class Step:
    """What became of one half at one channel."""

    channel: str
    half: str
    reason: str | None = None

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.channel}: {self.half} {self.reason or 'taken'}"


class NoChannelError(Exception):
    """Nobody would be told."""


def rehearse(
    server: Server,
    *,
    wait_s: float,
    labels: dict[str, str],
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """Fire and resolve; a step for each channel and half, the failures among them.

    Alertmanager counts what Slack and PagerDuty took. It counts all alerts alike: while others fire, a
    count may be theirs.

    Raises:
        NoChannelError: Alertmanager has none.
    """
    channels = integrations(server, EVERYBODY)
    if not channels:
        raise NoChannelError(
            "Alertmanager has no channel: pulumi config set --secret orka-ppm:slack-webhook-url, "
            "or orka-ppm:pagerduty-api-key, and pulumi up"
        )
    begun = datetime.now(UTC)
    for half, ends in (("firing", begun + timedelta(hours=1)), ("resolved", None)):
        before = counts(server)
        server.post("/api/v2/alerts", [alert(labels, begun, ends or datetime.now(UTC))])
        left, until = set(channels), now() + wait_s
        while left:
            found = counts(server)
            for channel in sorted(left):
                now_is, was = found.get(channel, Count()), before.get(channel, Count())
                refused = now_is.given_up > was.given_up
                if refused or now_is.taken > was.taken:
                    left.discard(channel)
                    yield Step(channel, half, REFUSED if refused else None)
            if left and now() > until:
                for channel in sorted(left):
                    yield Step(channel, half, f"NOT SENT within {wait_s:.0f} s")
                return
            if left:
                sleep(AGAIN_S)


def alert(labels: dict[str, str], begun: datetime, ends: datetime) -> dict[str, Any]:
    """The document that Prometheus would hand over."""
    return {
        "labels": {"alertname": TEST_ALERT, "severity": "critical", "service": "monitoring", **labels},
        "annotations": {"summary": "A test of the way that alerts take; there is nothing to do"},
        "startsAt": begun.isoformat(),
        "endsAt": ends.isoformat(),
    }
