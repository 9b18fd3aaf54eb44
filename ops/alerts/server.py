"""Talks to the stack's Alertmanager: at an address, or through kubectl."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import yaml

from ops.cluster import forward

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = "alertmanager_notification_requests_total"
REFUSED = "alertmanager_notification_requests_failed_total"
GIVEN_UP = "alertmanager_notifications_failed_total"
SERVICE = "alertmanager:http"
PORT = "9093"
"""Where a Service is named without one: everybody's, whatever it is called there."""
_SERIES = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\}\s+(?P<value>\S+)$", re.MULTILINE)


class Server:
    """What is needed of it, by a client whose addresses begin at its root."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str) -> str:
        """The answer to a question.

        Raises:
            httpx.HTTPError: there is none.
        """
        return self._client.get(path).raise_for_status().text

    def post(self, path: str, document: Any) -> None:
        """Hand over a document.

        Raises:
            httpx.HTTPError: it was not taken.
        """
        self._client.post(path, json=document).raise_for_status()


@contextmanager
def reached(url: str | None, *, service: str, namespace: str, context: str | None) -> Iterator[Server]:
    """At an address, or else in the cluster; `service` is NAME:PORT.

    Raises:
        KubectlError: kubectl cannot be asked.
    """
    if url:
        with httpx.Client(base_url=url, timeout=forward.TIMEOUT_S, trust_env=False) as client:
            yield Server(client)
    else:
        name, _, port = service.partition(":")
        with forward.service(name, namespace, port=port or PORT, context=context) as client:
            yield Server(client)


def integrations(server: Server, receiver: str, namespace: str) -> list[str] | None:
    """Which ways to people a receiver has, by Alertmanager's names for them; None where it has no such one.

    An operator calls those of an AlertmanagerConfig NAMESPACE/CONFIG/RECEIVER.
    """
    text = json.loads(server.get("/api/v2/status"))["config"]["original"]
    for one in yaml.safe_load(text)["receivers"]:
        name = one["name"]
        if name == receiver or (name.startswith(f"{namespace}/") and name.endswith(f"/{receiver}")):
            return sorted(key.removesuffix("_configs") for key in one if key.endswith("_configs"))
    return None


@dataclass(frozen=True)
class Count:
    """How many requests one channel took, and how many messages Alertmanager gave up."""

    taken: float = 0.0
    given_up: float = 0.0


def counts(server: Server) -> dict[str, Count]:
    """By integration, further labels added up."""
    found: dict[str, Count] = {}
    for match in _SERIES.finditer(server.get("/metrics")):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', match["labels"]))
        if "integration" in labels:
            key, value = labels["integration"], float(match["value"])
            old = found.get(key, Count())
            taken = {REQUESTS: value, REFUSED: -value}.get(match["name"], 0.0)
            given_up = value if match["name"] == GIVEN_UP else 0.0
            found[key] = Count(old.taken + taken, old.given_up + given_up)
    return found
