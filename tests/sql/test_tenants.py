"""Who sees and changes whose rows: roles x verbs x claims, on the real database."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.sql.support import (
    GUIDE_TABLES,
    TENANT_A,
    TENANT_B,
    TENANT_C,
    Database,
    Server,
    log_event,
    set_claims,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

VECTOR = json.dumps([0.1] * 1536)
# A row for each table but the log: columns and values besides tenant and event.
ROWS: dict[str, dict[str, object]] = {
    "audit_embeddings": {"embedding": VECTOR, "content_text": "text"},
    "audit_anomalies": {"anomaly_score": 0.7049, "features_used": "{}", "model_version": "1"},
    "audit_ml_models": {
        "model_type": "anomaly_detector",
        "model_version": "1",
        "training_data_size": 1,
        "metrics": "{}",
        "model_path": "models/1",
    },
    "audit_integrations": {"integration_type": "slack", "config": '{"webhook": "hidden"}'},
    "audit_scheduled_reports": {
        "report_name": "weekly",
        "schedule_cron": "0 6 * * *",
        "filters": "{}",
        "recipients": "[]",
        "format": "pdf",
    },
    "audit_access_log": {"user_id": TENANT_A, "access_type": "read"},
    "audit_bias_metrics": {
        "metric_type": "classification_accuracy",
        "dimension": "department",
        "dimension_value": "a",
        "metric_value": 0.5,
        "sample_size": 1,
        "time_period_start": "2026-01-01",
        "time_period_end": "2026-02-01",
    },
    "audit_ai_predictions": {
        "prediction_type": "category",
        "predicted_value": "Risk Event",
        "confidence_score": 0.9,
        "model_version": "1",
        "features_used": "{}",
    },
}
REFERRING = {"audit_embeddings", "audit_anomalies", "audit_ai_predictions"}
Filled = tuple[Database, dict[uuid.UUID, object]]
READERS = {
    "app": set(GUIDE_TABLES),
    "jobs": set(GUIDE_TABLES) - {"audit_access_log"},
    "readonly": set(GUIDE_TABLES),
}
WRITERS = {
    "app": {"roche_audit_logs", "audit_integrations", "audit_scheduled_reports", "audit_access_log"},
    "jobs": {
        "audit_embeddings",
        "audit_anomalies",
        "audit_ml_models",
        "audit_bias_metrics",
        "audit_ai_predictions",
    },
    "readonly": set(),
}
# A column that a role may update, by table.
UPDATES = {
    ("app", "audit_anomalies"): "is_false_positive = true",
    ("app", "audit_ai_predictions"): "review_outcome = 'confirmed'",
    ("app", "audit_integrations"): "is_active = false",
    ("app", "audit_scheduled_reports"): "is_active = false",
    ("jobs", "audit_embeddings"): "content_text = 'new'",
    ("jobs", "audit_anomalies"): "alert_sent = true",
    ("jobs", "audit_ml_models"): "is_active = false",
    ("jobs", "audit_bias_metrics"): "is_biased = true",
    ("jobs", "audit_integrations"): "failure_count = 1",
    ("jobs", "audit_scheduled_reports"): "run_count = 1",
}
DELETES = {("app", "audit_integrations"), ("app", "audit_scheduled_reports")}
CELLS = [(login, table) for login in ("app", "jobs", "readonly") for table in GUIDE_TABLES]


def insert(connection: psycopg.Connection[Any], table: str, tenant: uuid.UUID | None, event: object) -> None:
    """One row of a tenant."""
    if table == "roche_audit_logs":
        assert tenant is not None
        log_event(connection, tenant)
        return
    values = {**ROWS[table], "tenant_id": tenant, **({"audit_event_id": event} if table in REFERRING else {})}
    marks = ", ".join(["%s"] * len(values))
    connection.execute(
        f"INSERT INTO public.{table} ({', '.join(values)}) VALUES ({marks})".encode(), list(values.values())
    )


@pytest.fixture(scope="module")
def filled(server: Server, template: str) -> Iterator[Filled]:
    """Two tenants have one row in every table, a third has an event; every test rolls back what it does."""
    database = server.create(template=template)
    with database.connect() as connection, connection.transaction():
        spare = {TENANT_C: log_event(connection, TENANT_C)[0]}
        for tenant in (TENANT_A, TENANT_B):
            event, spare[tenant] = (log_event(connection, tenant, name)[0] for name in ("1", "2"))
            for table in ROWS:
                insert(connection, table, tenant, event)
    yield database, spare
    database.drop()


def readable(table: str) -> str:
    """The column to count by: not all of a table's columns are for everyone."""
    return f"SELECT DISTINCT tenant_id FROM public.{table}"


@pytest.mark.parametrize(("login", "table"), CELLS)
def test_a_login_reads_its_tenants_rows_or_is_refused(filled: Filled, login: str, table: str) -> None:
    database, _ = filled
    for tenant, expected in (
        (TENANT_A, [(TENANT_A,)]),
        (TENANT_B, [(TENANT_B,)]),
        (None, []),
        (uuid.uuid4(), []),
    ):
        with database.as_tenant(login, tenant) as connection:
            if table in READERS[login]:
                assert connection.execute(readable(table).encode()).fetchall() == expected
            else:
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(readable(table).encode())


@pytest.mark.parametrize(("login", "table"), CELLS)
def test_a_login_inserts_for_its_own_tenant_only_and_only_where_it_is_its_part(
    filled: Filled, login: str, table: str
) -> None:
    database, spare = filled
    with database.as_tenant(login, TENANT_C) as connection:
        if table in WRITERS[login]:
            insert(connection, table, TENANT_C, spare[TENANT_C])
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                insert(connection, table, TENANT_C, spare[TENANT_C])
    for claims in (TENANT_A, None):
        with (
            database.as_tenant(login, claims) as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            insert(connection, table, TENANT_B, spare[TENANT_B])


@pytest.mark.parametrize(("login", "table"), CELLS)
def test_a_login_updates_only_named_columns_of_its_own_tenant(filled: Filled, login: str, table: str) -> None:
    database, _ = filled
    with database.as_tenant(login, TENANT_A) as connection:
        if change := UPDATES.get((login, table)):
            assert connection.execute(f"UPDATE public.{table} SET {change}".encode()).rowcount == 1
    with database.as_tenant(login, TENANT_A) as connection:
        moved = f"UPDATE public.{table} SET tenant_id = '{TENANT_B}'".encode()
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(moved)


@pytest.mark.parametrize(("login", "table"), CELLS)
def test_a_login_deletes_only_configuration_of_its_own_tenant(filled: Filled, login: str, table: str) -> None:
    database, _ = filled
    with database.as_tenant(login, TENANT_A) as connection:
        if (login, table) in DELETES:
            assert connection.execute(f"DELETE FROM public.{table}".encode()).rowcount == 1
        else:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"DELETE FROM public.{table}".encode())


@pytest.mark.parametrize(("login", "table"), CELLS)
def test_no_login_may_truncate(filled: Filled, login: str, table: str) -> None:
    database, _ = filled
    with database.as_tenant(login, TENANT_A) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(f"TRUNCATE public.{table} CASCADE".encode())


def test_a_pooled_session_forgets_the_tenant_with_its_transaction(filled: Filled) -> None:
    database, _ = filled
    with database.connect("orka_app_1") as connection:
        with connection.transaction():
            set_claims(connection, TENANT_A)
            assert len(connection.execute(b"SELECT 1 FROM public.roche_audit_logs").fetchall()) == 2
        assert connection.execute(b"SELECT current_setting('request.jwt.claims')").fetchone() == ("",)
        assert connection.execute(b"SELECT 1 FROM public.roche_audit_logs").fetchall() == []


@pytest.mark.parametrize("claims", ["not json", '{"app_metadata": {"tenant_id": "not a uuid"}}'])
def test_malformed_claims_are_an_error_not_an_empty_answer(filled: Filled, claims: str) -> None:
    database, _ = filled
    with database.as_tenant("app", None) as connection:
        connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))
        with pytest.raises(errors.InvalidTextRepresentation):
            connection.execute(b"SELECT 1 FROM public.roche_audit_logs")


@pytest.mark.parametrize("place", ["user_metadata", None])
def test_a_tenant_outside_app_metadata_counts_for_nothing(filled: Filled, place: str | None) -> None:
    database, _ = filled
    claim = {"tenant_id": str(TENANT_A)}
    with database.as_tenant("app", None) as connection:
        connection.execute(
            "SELECT set_config('request.jwt.claims', %s, true)",
            (json.dumps({place: claim} if place else claim),),
        )
        assert connection.execute(b"SELECT 1 FROM public.roche_audit_logs").fetchall() == []


def test_a_row_cannot_refer_to_another_tenants_event(filled: Filled) -> None:
    database, spare = filled
    with database.as_tenant("jobs", TENANT_A) as connection, pytest.raises(errors.ForeignKeyViolation):
        insert(connection, "audit_anomalies", TENANT_A, spare[TENANT_B])


def test_a_shared_model_is_read_by_all_and_written_by_no_login(migrated: Database) -> None:
    with migrated.connect() as connection:
        for tenant in (None, TENANT_A, TENANT_B):
            insert(connection, "audit_ml_models", tenant, None)
    for login in ("app", "jobs", "readonly"):
        with migrated.as_tenant(login, TENANT_A) as connection:
            assert connection.execute(b"SELECT 1 FROM public.audit_ml_models").fetchall() == [(1,), (1,)]
    with migrated.as_tenant("jobs", TENANT_A) as connection:
        shared = b"UPDATE public.audit_ml_models SET is_active = false WHERE tenant_id IS NULL"
        assert connection.execute(shared).rowcount == 0
        with pytest.raises(errors.InsufficientPrivilege):
            insert(connection, "audit_ml_models", None, None)


def test_models_without_tenant_are_unique_too_and_one_is_active(migrated: Database) -> None:
    with migrated.connect() as connection:
        insert(connection, "audit_ml_models", None, None)
        with pytest.raises(errors.UniqueViolation, match="audit_ml_models_version_key"):
            insert(connection, "audit_ml_models", None, None)
        with pytest.raises(errors.UniqueViolation, match="idx_ml_models_one_active"):
            connection.execute(
                b"INSERT INTO public.audit_ml_models (model_type, model_version, training_data_size, metrics,"
                b" model_path) VALUES ('anomaly_detector', '2', 1, '{}', 'models/2')"
            )


def test_those_who_only_look_do_not_see_webhook_addresses(filled: Filled) -> None:
    database, _ = filled
    with database.as_tenant("readonly", TENANT_A) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(b"SELECT config FROM public.audit_integrations")


def test_the_jobs_and_nobody_else_learn_which_tenants_there_are(filled: Filled) -> None:
    database, _ = filled
    with database.as_tenant("jobs", None) as connection:
        found = connection.execute(b"SELECT orka_audit.tenants_with_events()").fetchall()
    assert found == [(TENANT_A,), (TENANT_B,), (TENANT_C,)]
    for login in ("app", "readonly"):
        with database.as_tenant(login, TENANT_A) as connection, pytest.raises(errors.InsufficientPrivilege):
            connection.execute(b"SELECT orka_audit.tenants_with_events()")


def test_the_nearest_events_are_the_tenants_own(filled: Filled) -> None:
    database, _ = filled
    with database.as_tenant("app", TENANT_A) as connection:
        connection.execute(b"SET LOCAL hnsw.iterative_scan = 'relaxed_order'")
        found = connection.execute(
            "SELECT e.tenant_id, e.embedding <=> %s::vector < 0.0001 FROM public.audit_embeddings AS e"
            " ORDER BY e.embedding <=> %s::vector LIMIT 10",
            (VECTOR, VECTOR),
        ).fetchall()
    assert found == [(TENANT_A, True)]


def test_the_tenant_is_looked_up_once_per_query_and_by_an_index(filled: Filled) -> None:
    database, _ = filled
    with database.as_tenant("app", TENANT_A) as connection:
        connection.execute(b"SET LOCAL enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in connection.execute(
                b"EXPLAIN (COSTS OFF) SELECT * FROM public.roche_audit_logs ORDER BY timestamp DESC LIMIT 50"
            )
        )
    assert "InitPlan" in plan
    assert "Index Scan using idx_roche_audit_logs_tenant_timestamp" in plan
    assert "Index Cond: (tenant_id = " in plan


def test_a_score_keeps_four_decimals_so_the_threshold_holds(filled: Filled) -> None:
    database, _ = filled
    assert database.value("SELECT count(*) FROM public.audit_anomalies WHERE anomaly_score > 0.704") == 2


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("severity", "loud"),
        ("category", "Nonsense"),
        ("risk_level", "Extreme"),
        ("anomaly_score", 1.5),
        ("entity_id", ""),
        ("encrypted_fields", '{"not": "an array"}'),
    ],
)
def test_a_value_outside_its_range_is_refused(migrated: Database, column: str, value: object) -> None:
    with (
        migrated.as_tenant("app", TENANT_A) as connection,
        pytest.raises(errors.CheckViolation, match=f"roche_audit_logs_valid_{column}"),
    ):
        log_event(connection, TENANT_A, **{column: value})
