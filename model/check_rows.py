"""The rows of the database that a release is judged by: the event that was posted, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.check_surroundings import NotHere, RowCheck

if TYPE_CHECKING:
    from collections.abc import Collection

    from pydantic import JsonValue

_COLUMNS = {"tenant_id": "event_tenant", "hash": "event_hash"}
"""Compared where a call captures them."""

_EMBEDDINGS = RowCheck(
    name="embeddings-current",
    query="SELECT count(*) AS waiting FROM public.roche_audit_logs AS e"
    " WHERE e.timestamp < now() - interval '30 minutes' AND NOT EXISTS"
    " (SELECT FROM public.audit_embeddings AS m WHERE m.audit_event_id = e.id)",
    expect={"waiting": 0},
    critical=False,
)
_NO_EVENT = NotHere(name="event-row", kind="database", reason="no call captures event_id")


def rows(
    captured: Collection[str], event_type: str | None, *, critical: bool
) -> tuple[tuple[RowCheck, ...], tuple[NotHere, ...]]:
    """Return the checks, and what cannot be asked; `event_type` is that of the posted event, where known."""
    if "event_id" not in captured:
        return (_EMBEDDINGS,), (_NO_EVENT,)
    expect: dict[str, JsonValue] = {} if event_type is None else {"event_type": event_type}
    expect |= {column: f"${{{name}}}" for column, name in _COLUMNS.items() if name in captured}
    event = RowCheck(
        name="event-row",
        query="SELECT tenant_id::text, hash, event_type FROM public.roche_audit_logs WHERE id = %(id)s::uuid",
        parameters={"id": "${event_id}"},
        expect=expect,
        critical=critical,
    )
    return (event, _EMBEDDINGS), ()
