"""Databases where the original scripts were run by hand, with rows in them, and the old application."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from psycopg import errors

from tests.sql.support import TENANT_A, TENANT_B, Database

if TYPE_CHECKING:
    import psycopg

FIXTURES = Path(__file__).parent / "fixtures"
QUARANTINE = "00000000-0000-4000-8000-000000000023"
VARIANTS = {
    "base": ("base.sql",),
    "023": ("base.sql", "original_023.sql"),
    "023 alone": ("original_023.sql",),
    "023+024": ("base.sql", "original_023.sql", "original_024.sql"),
    "test": ("test_base.sql", "original_023.sql"),
}
TITLES = {
    "base": "the log before 023",
    "023": "the original 023",
    "023 alone": "the original 023",
    "023+024": "the original 023 and 024",
    "test": "the original 023 on the small log of its test variant",
}
# A third of the events belongs to A, a third to B, a third to nobody; times tie, come late, or are missing.
_EVENTS = """
    INSERT INTO public.roche_audit_logs (id, event_type, entity_type, entity_id, action_details, "timestamp")
    SELECT md5('event' || n)::uuid, 'login', 'user',
           CASE WHEN n % 5 > 0 THEN md5('entity' || n % 7)::uuid END, jsonb_build_object('n', n),
           timestamptz '2025-01-01' + (n / 3 * 37 % 1000) * interval '1 minute'
    FROM generate_series(1, {rows}) AS n;
    UPDATE public.roche_audit_logs SET severity = NULL, "timestamp" = NULL WHERE id = md5('event1')::uuid;
"""
_AI_COLUMNS = f"""
    UPDATE public.roche_audit_logs SET
        tenant_id = CASE (action_details ->> 'n')::int % 3
            WHEN 0 THEN '{TENANT_A}'::uuid WHEN 1 THEN '{TENANT_B}'::uuid END,
        hash = md5(id::text) || md5(id::text), is_anomaly = NULL, anomaly_score = 0.7,
        category = 'Risk Event';
"""
_OF_EVENTS = f"""
    INSERT INTO public.audit_embeddings (id, audit_event_id, embedding, content_text, tenant_id)
    SELECT md5('embedding' || n)::uuid, md5('event' || n)::uuid,
           CASE WHEN n <> 6 THEN (SELECT array_agg(random())::vector FROM generate_series(1, 1536)) END,
           'text', '{TENANT_A}'
    FROM unnest(ARRAY[3, 6, 9, 4]) AS n;
    INSERT INTO public.audit_anomalies (id, audit_event_id, anomaly_score, features_used, model_version,
                                        tenant_id)
    SELECT md5('anomaly' || n)::uuid, md5('event' || n)::uuid, 0.9, '{{}}', '1', '{TENANT_A}'
    FROM unnest(ARRAY[3, 6]) AS n;
    INSERT INTO public.audit_ai_predictions (audit_event_id, prediction_type, predicted_value,
                                             confidence_score, model_version, features_used, tenant_id)
    VALUES (md5('event4')::uuid, 'category', 'c', 0.5, '1', '{{}}', '{TENANT_B}');
"""
_OTHERS = f"""
    INSERT INTO auth.users VALUES (md5('user')::uuid);
    INSERT INTO public.audit_ml_models (id, model_type, model_version, training_data_size, metrics,
                                        model_path, training_date)
    SELECT md5('model' || n)::uuid, 'risk_classifier', CASE WHEN n < 3 THEN '1' ELSE '2' END, 1, '{{}}', 'p',
           timestamptz '2025-01-01' + n * interval '1 day' FROM generate_series(1, 3) AS n;
    INSERT INTO public.audit_integrations (id, tenant_id, integration_type, config, created_by)
    VALUES (md5('integration')::uuid, '{TENANT_A}', 'slack', '{{"url": "u"}}', md5('user')::uuid);
    INSERT INTO public.audit_scheduled_reports (tenant_id, report_name, schedule_cron, filters, recipients,
                                                format)
    VALUES ('{TENANT_B}', 'r', '* * * * *', '{{}}', '[]', 'pdf');
    INSERT INTO public.audit_access_log (user_id, access_type, tenant_id, ip_address)
    VALUES (md5('user')::uuid, 'read', '{TENANT_A}', '10.0.0.1');
    INSERT INTO public.audit_bias_metrics (tenant_id, metric_type, dimension, dimension_value, metric_value,
                                           sample_size, time_period_start, time_period_end)
    VALUES ('{TENANT_A}', 'false_positive_rate', 'd', 'v', 0.1, 5, '2025-01-01', '2025-02-01');
"""
# Left in orka_original: an embedding without a vector, one of another tenant's event, a doubled shared model.
LEFT = {"audit_embeddings": 2, "audit_ml_models": 1}


def make_original(database: Database, variant: str, rows: int = 300) -> Database:
    """Run the original scripts of a variant as the database's own admin, and fill the tables.

    With no `rows` there is no event, and nothing that refers to one.
    """
    with database.connect() as connection:
        connection.execute((FIXTURES / "platform.sql").read_bytes())
        admin = database.server.admin
        connection.execute(f"GRANT USAGE ON SCHEMA auth TO {admin}".encode())
        connection.execute(f"GRANT ALL ON auth.users, public.projects TO {admin}".encode())
    with database.connect(database.server.admin) as connection:
        if database.value("SELECT to_regnamespace('extensions') IS NOT NULL"):
            connection.execute(b"SET search_path = public, extensions")
        for file in VARIANTS[variant]:
            connection.execute((FIXTURES / file).read_bytes())
        connection.execute(_EVENTS.format(rows=rows).encode())
        if variant != "base":
            connection.execute(_AI_COLUMNS.encode())
            connection.execute(_OTHERS.encode())
            if rows:
                connection.execute(_OF_EVENTS.encode())
    return database


# As the application wrote one: without a tenant, without seq.
OLD_EVENT = (
    b"INSERT INTO public.roche_audit_logs (event_type, entity_type, action_details)"
    b" VALUES ('late', 'user', '{}') RETURNING id"
)


class OldApplication:
    """Inserts events as the application did: without a tenant, without seq; counts what was taken."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.written: list[Any] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self.database.connect(self.database.server.admin) as connection:
            while not self._stop.wait(0.002):
                if not self._write(connection):
                    return

    def _write(self, connection: psycopg.Connection[Any]) -> bool:
        try:
            row = connection.execute(OLD_EVENT).fetchone()
        except errors.NotNullViolation:
            # The tables have changed places: the new log wants a tenant.
            return False
        self.written.append(row[0] if row else None)
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=30)
