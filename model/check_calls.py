"""The calls that show the audit trail at work: as the guide types them, and as the application has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.check_kinds import Caller, FunctionalCall, JsonAssertion

if TYPE_CHECKING:
    from pydantic import JsonValue

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
QUESTION = "Show me all budget changes"
READ_BACK = 200
"""How many of the newest events are read back; the posted one is among them unless others post faster."""

EVENT: dict[str, Any] = {
    "event_type": "test_event",
    "entity_type": "test",
    "entity_id": "123",
    "severity": "info",
    "action_details": {"test": "data"},
}
_REFUSED: tuple[tuple[str, Caller | None], ...] = (
    ("no-token", None),
    ("garbage-token", "garbage"),
    ("forged-token", "wrong-signature"),
    ("unsigned-token", "unsigned"),
    ("expired-token", "expired"),
)


def guide_calls(base: str) -> tuple[FunctionalCall, ...]:
    """The guide's four calls; what is posted is read back with its tenant and its hash."""
    posted: dict[str, JsonValue] = {"id": "${event_id}", "hash": "${event_hash}"}
    return (
        FunctionalCall(
            name="create-event",
            method="POST",
            url=f"{base}/events",
            body=EVENT,
            expect_status=201,
            assertions=(
                JsonAssertion(field="id", matches=UUID),
                JsonAssertion(field="timestamp", type="string"),
                JsonAssertion(field="tenant_id", matches=UUID),
                JsonAssertion(field="hash", matches="[0-9a-f]{64}"),
            ),
            capture={"event_id": "id", "event_tenant": "tenant_id", "event_hash": "hash"},
        ),
        FunctionalCall(
            name="read-events",
            url=f"{base}/events?limit={READ_BACK}",
            assertions=(
                JsonAssertion(field="events.0.id", matches=UUID),
                JsonAssertion(field="total", type="integer"),
                JsonAssertion(field="events", holds=posted, each={"tenant_id": "${event_tenant}"}),
            ),
        ),
        _anomalies(base),
        _search(base, critical=True),
    )


def application_calls(base: str) -> tuple[FunctionalCall, ...]:
    """The calls that the application offers today: events in batches, UUIDs as entities, a stub of a search.

    A red search degrades the release only.
    """
    event = {**EVENT, "entity_id": "00000000-0000-4000-8000-000000000123"}
    return (
        FunctionalCall(
            name="create-event",
            method="POST",
            url=f"{base}/events/batch",
            body=[event],
            assertions=(
                JsonAssertion(field="success", equals=True),
                JsonAssertion(field="inserted_count", equals=1),
                JsonAssertion(field="event_ids.0", matches=UUID),
            ),
            capture={"event_id": "event_ids.0"},
        ),
        FunctionalCall(
            name="read-events",
            url=f"{base}/events?limit={READ_BACK}",
            assertions=(
                JsonAssertion(field="total", type="integer"),
                JsonAssertion(field="events", holds={"id": "${event_id}"}),
            ),
        ),
        _anomalies(base),
        _search(base, critical=False),
    )


def token_calls(base: str, *, critical: bool) -> tuple[FunctionalCall, ...]:
    """Who must be refused, and that another tenant does not see the posted event.

    `critical` is False for an application that is known to let everybody in: it stays visible.
    """
    refused = tuple(
        FunctionalCall(
            name=name,
            url=f"{base}/events",
            auth=caller is not None,
            caller=caller or "checker",
            expect_status=401,
            critical=critical,
        )
        for name, caller in _REFUSED
    )
    other = FunctionalCall(
        name="other-tenant",
        url=f"{base}/events?limit={READ_BACK}",
        caller="other-tenant",
        assertions=(JsonAssertion(field="events", lacks={"id": "${event_id}"}),),
        critical=critical,
    )
    return (*refused, other)


def _anomalies(base: str) -> FunctionalCall:
    return FunctionalCall(
        name="read-anomalies",
        url=f"{base}/anomalies",
        assertions=(
            JsonAssertion(field="anomalies", type="array"),
            JsonAssertion(field="total", type="integer"),
        ),
    )


def _search(base: str, *, critical: bool) -> FunctionalCall:
    return FunctionalCall(
        name="semantic-search",
        method="POST",
        url=f"{base}/search",
        body={"query": QUESTION},
        assertions=(
            JsonAssertion(field="query", equals=QUESTION),
            JsonAssertion(field="results", type="array"),
            JsonAssertion(field="total_results", type="integer"),
        ),
        critical=critical,
        excused_by=("openai",),
    )
