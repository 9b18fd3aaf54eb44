"""What the stack's Prometheus says fires, what arrived at the stand-ins, and how to take services away."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx

from tests.twin.conftest import PATHS
from twin import certificates, edge
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Supervisor
from twin.standins import alert_channels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.twin.stack import Stack

PROMETHEUS = "/api/v1/namespaces/staging/services/prometheus:http/proxy/api/v1"
# The twin's clock is twenty times faster than the shipped one: five minutes are fifteen seconds there.
ARRIVES_WITHIN_S = 150
STANDING = {"Watchdog"}
SHORT_LIVED_DAYS = 10


def ask(stack: Stack, path: str) -> Any:
    """What Prometheus answers."""
    return json.loads(stack.kubectl("get", "--raw", f"{PROMETHEUS}/{path}"))["data"]


def firing(stack: Stack) -> set[str]:
    """The alerts that fire now, without those that always do."""
    found = {one["labels"]["alertname"] for one in ask(stack, "alerts")["alerts"] if one["state"] == "firing"}
    return found - STANDING


def series(stack: Stack, selector: str) -> list[Any]:
    """What Prometheus knows of a selector since it runs."""
    return list(ask(stack, f"series?match[]={quote(selector)}"))


def arrived(channel: str) -> list[dict[str, Any]]:
    """What a channel took."""
    asked = httpx.get(f"http://{BRIDGE_ADDRESS}:{alert_channels.PORT}/_asked").json()["requests"]
    return [one["body"] for one in asked if one["channel"] == channel and one["status"] < 300]


def forget() -> None:
    """What arrives from now on is the test's own."""
    httpx.delete(f"http://{BRIDGE_ADDRESS}:{alert_channels.PORT}/_asked").raise_for_status()


def pages(action: str) -> set[str]:
    """The alerts that paged, or whose pages ended."""
    return {page["payload"]["class"] for page in arrived("pagerduty") if page["event_action"] == action}


def shown(status: str) -> set[str]:
    """The alerts that Slack shows as firing or resolved."""
    titles = [one["title"] for body in arrived("slack") for one in body.get("attachments", ())]
    return {title.split()[1] for title in titles if title.startswith(f"{status}: ")}


def await_that(what: str, there: Callable[[], object], seconds: float = ARRIVES_WITHIN_S) -> None:
    """Ask again until it is so.

    Raises:
        AssertionError: the time is over.
    """
    ends = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < ends, f"not within {seconds:.0f} s: {what}"
        time.sleep(1)


@contextmanager
def certificate_that_ends_soon(host: str) -> Iterator[None]:
    """The edge with a certificate that has ten days left, and with its own one afterwards."""
    validity = certificates.VALIDITY
    try:
        certificates.VALIDITY = validity * SHORT_LIVED_DAYS / validity.days
        _serve_anew(host)
        yield
    finally:
        certificates.VALIDITY = validity
        _serve_anew(host)


def _serve_anew(host: str) -> None:
    supervisor = Supervisor(PATHS)
    # Caddy reads certificates when it is told of them, and its controller tells it only what changed. Finding
    # none, the controller would also make one, which lasts.
    for process in ("edge-controller", "caddy"):
        supervisor.stop(process)
    for ending in ("crt", "key"):
        (PATHS.pki / f"edge-{host}.{ending}").unlink(missing_ok=True)
    certificates.serving(PATHS, f"edge-{host}", [host])
    for step in edge.steps(PATHS, supervisor):
        step.run()
