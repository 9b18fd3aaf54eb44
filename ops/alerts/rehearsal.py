"""A test alert: fired at Alertmanager, seen to be taken by each channel, resolved, and seen again."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from model.alert_routes import EVERYBODY, TEST_ALERT
from ops.alerts.server import Count, Server, counts, integrations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AGAIN_S = 1.0
# Where not even its end can be handed over, it ends by itself so long after the wait for it.
LASTS_S = 300.0
REFUSED = "REFUSED: Alertmanager's log says why (kubectl logs deployment/alertmanager)"
NO_CHANNEL = (
    "Alertmanager has no channel: pulumi config set --secret orka-ppm:slack-webhook-url, "
    "or orka-ppm:pagerduty-api-key, and pulumi up"
)
STRANGER = (
    f"Alertmanager has no receiver {EVERYBODY} of this stack: is it the one, and does an operator's select "
    "the AlertmanagerConfig (monitoring.operator.labels)?"
)


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
    show: Callable[[Step], None],
    *,
    wait_s: float,
    namespace: str,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Fire, and resolve however that ends; whether everybody was told both. Failures are shown as steps too.

    An operator's Alertmanager hands on what has the application's namespace alone.
    Alertmanager counts what Slack and PagerDuty took. It counts all alerts alike: while others fire, a
    count may be theirs. Only to who took the alert is its end sent.

    Raises:
        NoChannelError: Alertmanager has none.
    """
    channels = integrations(server, EVERYBODY, namespace)
    if not channels:
        raise NoChannelError(STRANGER if channels is None else NO_CHANNEL)

    def taken(half: str, before: Mapping[str, Count], asked: list[str]) -> list[str]:
        """Who of those that were asked took it."""
        found, left, until = [], set(asked), now() + wait_s
        while left:
            counted = counts(server)
            for channel in sorted(left):
                now_is, was = counted.get(channel, Count()), before.get(channel, Count())
                refused = now_is.given_up > was.given_up
                if refused or now_is.taken > was.taken:
                    left.discard(channel)
                    show(Step(channel, half, REFUSED if refused else None))
                    found += [] if refused else [channel]
            if left and now() > until:
                for channel in sorted(left):
                    show(Step(channel, half, f"NOT SENT within {wait_s:.0f} s"))
                break
            if left:
                sleep(AGAIN_S)
        return found

    # A run of its own: one that is still about from before would be the same alert, and not sent again.
    labels, begun = {"namespace": namespace, "run": uuid.uuid4().hex[:8]}, datetime.now(UTC)
    before = counts(server)
    try:
        server.post("/api/v2/alerts", [alert(labels, begun, begun + timedelta(seconds=wait_s + LASTS_S))])
        fired = taken("firing", before, channels)
        before = counts(server)
    finally:
        server.post("/api/v2/alerts", [alert(labels, begun, datetime.now(UTC))])
    return sorted(taken("resolved", before, fired)) == channels


def alert(labels: Mapping[str, str], begun: datetime, ends: datetime) -> dict[str, Any]:
    """The document that Prometheus would hand over."""
    return {
        "labels": {"alertname": TEST_ALERT, "severity": "critical", "service": "monitoring", **labels},
        "annotations": {"summary": "A test of the way that alerts take; there is nothing to do"},
        "startsAt": begun.isoformat(),
        "endsAt": ends.isoformat(),
    }
