"""The backend's SQL. Row level security narrows every statement to the tenant of the transaction's claims."""

from __future__ import annotations

_EVENT = """id, event_type, user_id, entity_type, entity_id, action_details, severity, "timestamp", tenant_id,
    seq, hash, previous_hash, anomaly_score, is_anomaly, category, risk_level, tags"""

INSERT_EVENT = f"""
INSERT INTO public.roche_audit_logs
    (tenant_id, user_id, event_type, entity_type, entity_id, severity, action_details, ip_address, user_agent)
VALUES
    (%(tenant)s, %(user)s, %(event_type)s, %(entity_type)s, %(entity_id)s, %(severity)s, %(details)s, %(ip)s, %(agent)s)
RETURNING {_EVENT}"""

SELECT_EVENTS = f"""
SELECT {_EVENT} FROM public.roche_audit_logs
WHERE (%(event_type)s::text IS NULL OR event_type = %(event_type)s)
  AND (%(severity)s::text IS NULL OR severity = %(severity)s)
ORDER BY "timestamp" DESC, seq DESC LIMIT %(limit)s OFFSET %(offset)s"""

COUNT_EVENTS = """
SELECT count(*) AS total FROM public.roche_audit_logs
WHERE (%(event_type)s::text IS NULL OR event_type = %(event_type)s)
  AND (%(severity)s::text IS NULL OR severity = %(severity)s)"""

SELECT_ANOMALIES = """
SELECT a.id, a.audit_event_id, a.anomaly_score, a.detection_timestamp, a.features_used, a.model_version,
    a.is_false_positive, a.severity, a.affected_entities, a.suggested_actions, a.tenant_id,
    e.event_type, e.entity_type, e.entity_id
FROM public.audit_anomalies AS a
JOIN public.roche_audit_logs AS e ON e.id = a.audit_event_id
WHERE a.anomaly_score >= %(min_score)s
ORDER BY a.detection_timestamp DESC, a.id LIMIT %(limit)s"""

COUNT_ANOMALIES = "SELECT count(*) AS total FROM public.audit_anomalies WHERE anomaly_score >= %(min_score)s"

# Row security filters after the index has answered: without this a small tenant gets too few neighbours.
SEARCH_FURTHER = "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true)"

NEAREST = """
SELECT n.audit_event_id AS event_id, n.content_text, round((1 - n.distance)::numeric, 4) AS similarity,
    e.event_type, e.entity_type, e.entity_id, e.severity, e.action_details, e."timestamp"
FROM (
    SELECT audit_event_id, content_text, embedding <=> %(vector)s::vector AS distance
    FROM public.audit_embeddings ORDER BY distance LIMIT %(limit)s
) AS n
JOIN public.roche_audit_logs AS e ON e.id = n.audit_event_id
ORDER BY n.distance, n.audit_event_id"""

LOG_ACCESS = """
INSERT INTO public.audit_access_log
    (tenant_id, user_id, access_type, query_parameters, result_count, ip_address, user_agent, execution_time_ms)
VALUES (%(tenant)s, %(user)s, %(type)s, %(parameters)s, %(count)s, %(ip)s, %(agent)s, %(milliseconds)s)"""

INSERT_REPORT = """
INSERT INTO public.audit_scheduled_reports
    (tenant_id, created_by, report_name, schedule_cron, filters, recipients, format)
VALUES (%(tenant)s, %(user)s, %(name)s, %(cron)s, %(filters)s, %(recipients)s, %(format)s)
RETURNING id, report_name, schedule_cron, format, is_active, last_run, next_run, run_count, created_at"""

SELECT_REPORTS = """
SELECT id, report_name, schedule_cron, format, is_active, last_run, next_run, run_count, last_run_status
FROM public.audit_scheduled_reports ORDER BY created_at, id"""
