"""What must be true of the database after a background job has run, for the tenant of the checks' user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from model.check_surroundings import RowCheck

if TYPE_CHECKING:
    from collections.abc import Iterable

Task = Literal["anomaly-detection", "embedding-generation", "model-training", "scheduled-reports"]

PREFIX = "effect-of-"

# What arrived after the run began is the next run's.
_SETTLED = "e.timestamp < now() - interval '5 minutes'"
# A run takes a part of what waits: a backlog that is being worked off is no fault.
_LATELY = "> now() - interval '10 minutes'"
_EVENTS = "public.roche_audit_logs AS e"
_EFFECTS: dict[Task, str] = {
    "anomaly-detection": (
        f"SELECT NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED}"
        " AND e.severity IN ('critical', 'error') AND e.timestamp > now() - interval '24 hours'"
        " AND NOT EXISTS (SELECT FROM public.audit_anomalies AS a WHERE a.audit_event_id = e.id))"
        f" OR EXISTS (SELECT FROM public.audit_anomalies WHERE detection_timestamp {_LATELY}) AS done"
    ),
    "embedding-generation": (
        f"SELECT NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED}"
        " AND NOT EXISTS (SELECT FROM public.audit_embeddings AS m WHERE m.audit_event_id = e.id))"
        f" OR EXISTS (SELECT FROM public.audit_embeddings WHERE created_at {_LATELY}) AS done"
    ),
    "model-training": (
        "SELECT EXISTS (SELECT FROM public.audit_ml_models WHERE is_active)"
        f" OR NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED}) AS done"
    ),
    "scheduled-reports": (
        "SELECT count(*) = 0 AS done FROM public.audit_scheduled_reports"
        " WHERE is_active AND (last_run IS NULL OR last_run < date_trunc('day', now()))"
    ),
}


def effects(tasks: Iterable[Task]) -> tuple[RowCheck, ...]:
    """Return the check of each job's effect: a job that exits 0 and writes nothing has none."""
    return tuple(
        RowCheck(name=f"{PREFIX}{task}", query=_EFFECTS[task], expect={"done": True}) for task in tasks
    )
