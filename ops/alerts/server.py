"""Talks to the stack's Alertmanager: at an address, or through kubectl and the API server's proxy."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import yaml

from ops.cluster import kubectl

TIMEOUT_S = 10
REQUESTS = "alertmanager_notification_requests_total"
REFUSED = "alertmanager_notification_requests_failed_total"
GIVEN_UP = "alertmanager_notifications_failed_total"
_SERIES = re.compile(r"^(?P<name>\w+)\{(?P<labels>[^}]*)\}\s+(?P<value>\S+)$", re.MULTILINE)


class Server(Protocol):
    """What is needed of it."""

    def get(self, path: str) -> str:
        """The answer to a question."""

    def post(self, path: str, document: Any) -> None:
        """Hand over a document."""


class Direct:
    """At an address."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)

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


class ThroughCluster:
    """Through the API server: needs no open port, and the rights of whoever runs kubectl."""

    def __init__(self, namespace: str, context: str | None) -> None:
        self._base = f"/api/v1/namespaces/{namespace}/services/alertmanager:http/proxy"
        self._context = context

    def get(self, path: str) -> str:
        """The answer to a question.

        Raises:
            KubectlError: there is none.
        """
        return kubectl.run(["get", "--raw", f"{self._base}{path}"], context=self._context)

    def post(self, path: str, document: Any) -> None:
        """Hand over a document.

        Raises:
            KubectlError: it was not taken.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            asked = ["create", "--raw", f"{self._base}{path}", "-f", file.name]
            kubectl.run(asked, context=self._context)


def integrations(server: Server, receiver: str) -> list[str]:
    """Which ways to people a receiver has, by Alertmanager's names for them."""
    text = json.loads(server.get("/api/v2/status"))["config"]["original"]
    for one in yaml.safe_load(text)["receivers"]:
        if one["name"] == receiver:
            return sorted(key.removesuffix("_configs") for key in one if key.endswith("_configs"))
    return []


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
