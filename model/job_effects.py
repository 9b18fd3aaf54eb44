"""What must be true of the database after a background job has run, for the tenant of the checks' user.

`%(age_s)s` is how long ago that run began: what stood there before is no effect of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from model.check_surroundings import RowCheck
from model.effect_query import as_row

if TYPE_CHECKING:
    from collections.abc import Mapping

Task = Literal["anomaly-detection", "embedding-generation", "model-training", "scheduled-reports"]

PREFIX = "effect-of-"

_BEGUN = "(now() - %(age_s)s * interval '1 second')"
# What arrived just before the run began may be committed after it has looked: it is the next run's.
_SETTLED = f"e.timestamp < {_BEGUN} - interval '5 minutes'"
_EVENTS = "public.roche_audit_logs AS e"
# A run takes a part of what waits: a backlog that is being worked off is no fault.
_EFFECTS: dict[Task, str] = {
    "anomaly-detection": (
        # The job looks a day back from its own moment, which is a little later than the beginning.
        f"SELECT NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED}"
        f" AND e.severity IN ('critical', 'error') AND e.timestamp > {_BEGUN} - interval '23 hours'"
        " AND NOT EXISTS (SELECT FROM public.audit_anomalies AS a WHERE a.audit_event_id = e.id))"
        f" OR EXISTS (SELECT FROM public.audit_anomalies WHERE detection_timestamp >= {_BEGUN}) AS done"
    ),
    "embedding-generation": (
        f"SELECT NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED}"
        " AND NOT EXISTS (SELECT FROM public.audit_embeddings AS m WHERE m.audit_event_id = e.id))"
        f" OR EXISTS (SELECT FROM public.audit_embeddings WHERE created_at >= {_BEGUN}) AS done"
    ),
    "model-training": (
        # Nothing to learn is no fault: no event came since the newest model was made.
        f"SELECT EXISTS (SELECT FROM public.audit_ml_models WHERE training_date >= {_BEGUN})"
        f" OR NOT EXISTS (SELECT FROM {_EVENTS} WHERE {_SETTLED} AND e.created_at >"
        " (SELECT coalesce(max(training_date), '-infinity') FROM public.audit_ml_models)) AS done"
    ),
    "scheduled-reports": (
        # Due once a day: what another run has done today was nothing for this one.
        "SELECT count(*) = 0 AS done FROM public.audit_scheduled_reports"
        f" WHERE is_active AND created_at < {_BEGUN}"
        f" AND (last_run IS NULL OR last_run < date_trunc('day', {_BEGUN}))"
    ),
}


def effects(begun: Mapping[Task, str], own: Mapping[Task, str]) -> tuple[RowCheck, ...]:
    """Return the check of each job's effect, by when its run began: one that writes nothing has none.

    `own` are questions of the stack file's, instead of those here.
    """
    asked = _EFFECTS | {task: as_row(text, _BEGUN) for task, text in own.items()}
    return tuple(
        RowCheck(name=f"{PREFIX}{task}", query=asked[task], since=moment, expect={"done": True})
        for task, moment in begun.items()
    )
