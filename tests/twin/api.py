"""The API as a client sees it: through the edge, by its own host name, with a token of one tenant."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx

from model.check_calls import EVENT
from tests.twin.load import Edge
from twin import secrets
from twin.paths import BRIDGE_ADDRESS
from twin.standins import supabase_auth

if TYPE_CHECKING:
    from twin.paths import Paths

HOST = "api-staging.orka-ppm.example.com"
TIMEOUT_S = 15.0


class Api:
    """Calls as the seeded user of one tenant, the first or the second; `token` is that user's."""

    def __init__(self, paths: Paths, tenant: int) -> None:
        known = secrets.of(paths)
        user = known.users[tenant]
        answer = httpx.post(
            f"http://{BRIDGE_ADDRESS}:{supabase_auth.PORT}/auth/v1/token",
            params={"grant_type": "password"},
            headers={"apikey": known.supabase_key},
            json={"email": user.email, "password": user.password},
            timeout=TIMEOUT_S,
        )
        answer.raise_for_status()
        self.token = answer.json()["access_token"]
        self._context = ssl.create_default_context(cafile=str(paths.ca))

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of one call."""
        connection = Edge(HOST, context=self._context, timeout=TIMEOUT_S)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def post_event(self, **other: Any) -> dict[str, Any]:
        """The guide's event, or one that differs; as it was stored."""
        status, stored = self.call("POST", "/api/audit/events", {**EVENT, **other})
        assert status == 201, (status, stored)
        return dict(stored)

    def events(self) -> dict[str, str]:
        """Hash by id of the tenant's newest events."""
        status, found = self.call("GET", "/api/audit/events?limit=500")
        assert status == 200, (status, found)
        return {event["id"]: event["hash"] for event in found["events"]}
