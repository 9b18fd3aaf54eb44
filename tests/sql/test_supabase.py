"""A database as Supabase runs it: API roles, old default grants, an admin that is not superuser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from ops.migrate.contract import parse_contract
from ops.migrate.verify import compare_catalog
from tests.sql.support import (
    GUIDE_TABLES,
    SQL,
    TENANT_A,
    TENANT_B,
    Database,
    log_event,
    ops,
    set_claims,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sql.support import Server

CONTRACT = parse_contract((SQL / "contract.yaml").read_text(encoding="utf-8"))
API_TABLES = {
    "roche_audit_logs",
    "audit_anomalies",
    "audit_ml_models",
    "audit_scheduled_reports",
    "audit_bias_metrics",
    "audit_ai_predictions",
}
VERBS = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


def test_an_admin_without_superuser_migrates_twice_and_verifies(
    make_supabase: Callable[[], Database],
) -> None:
    database = make_supabase()
    assert database.value("SELECT rolsuper FROM pg_roles WHERE rolname = 'admin'") is False
    first, second = ops(database, "apply", "--json"), ops(database, "apply", "--json")
    assert (first.code, first.json["applied"], first.err) == (0, ["023"], first.err)
    assert (second.code, second.json["outcome"]) == (0, "nothing to do")
    assert ops(database, "verify").code == 0
    owners = database.rows(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'orka_audit')"
    )
    assert owners == [("orka_owner",)]
    database.drop()


def members_found(database: Database, user: str) -> list[str]:
    """What the comparison that the checks make says of members when `user` asks."""
    with database.connect(user) as connection, connection.transaction():
        verdict = compare_catalog(connection, CONTRACT, newer_schema=True)
    return [one.object for one in verdict.findings if one.object.startswith("member ")]


def test_who_migrates_is_a_member_of_the_owner_and_nobody_else_whoever_asks(
    migrated_supabase: Database, supabase: Server
) -> None:
    asked = ("admin", "orka_readonly_1", "admin_2")
    supabase.execute("CREATE ROLE admin_2 LOGIN CREATEROLE", "GRANT orka_owner TO orka_readonly_1, admin_2")
    try:
        found = {user: members_found(migrated_supabase, user) for user in asked}
    finally:
        supabase.execute("REVOKE orka_owner FROM orka_readonly_1", "DROP ROLE admin_2")
    login, other = "member orka_readonly_1 of orka_owner", "member admin_2 of orka_owner"
    assert found == {"admin": [other, login], "orka_readonly_1": [other, login], "admin_2": [login]}
    assert members_found(migrated_supabase, "orka_readonly_1") == []


def test_the_stage_is_real_there_a_plain_table_is_open_to_everyone(
    make_supabase: Callable[[], Database],
) -> None:
    database = make_supabase()
    with database.connect("admin") as connection:
        connection.execute(b"CREATE TABLE public.plain (id int)")
    assert database.value("SELECT has_table_privilege('anon', 'public.plain', 'SELECT, TRUNCATE')") is True
    database.drop()


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_anonymous_and_service_role_may_nothing(migrated_supabase: Database, role: str) -> None:
    held = migrated_supabase.rows(
        "SELECT t, v FROM unnest(ARRAY['" + "','".join(GUIDE_TABLES) + "']) AS t"
        " CROSS JOIN unnest(ARRAY['" + "','".join(VERBS) + f"']) AS v"
        f" WHERE has_table_privilege('{role}', 'public.' || t, v)"
        f" OR (v <> 'DELETE' AND v <> 'TRUNCATE' AND v <> 'TRIGGER'"
        f" AND has_any_column_privilege('{role}', 'public.' || t, v))"
    )
    assert held == []
    with migrated_supabase.connect() as connection:
        connection.execute(f"SET ROLE {role}".encode())
        for table in GUIDE_TABLES:
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM public.{table}".encode())
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(b"SELECT orka_audit.current_tenant()")


def test_the_login_of_the_data_api_switches_to_a_role_that_sees_its_tenant(
    migrated_supabase: Database,
) -> None:
    with migrated_supabase.connect() as connection, connection.transaction():
        for tenant in (TENANT_A, TENANT_B):
            log_event(connection, tenant)
    with migrated_supabase.connect("authenticator") as connection, connection.transaction():
        connection.execute(b"SET LOCAL ROLE authenticated")
        set_claims(connection, TENANT_A)
        assert connection.execute(b"SELECT tenant_id FROM public.roche_audit_logs").fetchall() == [
            (TENANT_A,)
        ]


@pytest.mark.parametrize("table", GUIDE_TABLES)
def test_signed_in_users_read_six_tables_and_write_none(migrated_supabase: Database, table: str) -> None:
    held = {
        row[0]
        for row in migrated_supabase.rows(
            "SELECT v FROM unnest(ARRAY['" + "','".join(VERBS) + "']) AS v"
            f" WHERE has_table_privilege('authenticated', 'public.{table}', v)"
        )
    }
    assert held == ({"SELECT"} if table in API_TABLES else set())


def test_signed_in_users_give_feedback_on_their_own_tenants_anomalies_only(
    migrated_supabase: Database,
) -> None:
    with migrated_supabase.connect() as connection, connection.transaction():
        for tenant in (TENANT_A, TENANT_B):
            event = log_event(connection, tenant)[0]
            connection.execute(
                "INSERT INTO public.audit_anomalies (audit_event_id, tenant_id, anomaly_score, features_used,"
                " model_version) VALUES (%s, %s, 0.9, '{}', '1')",
                (event, tenant),
            )
    with migrated_supabase.connect() as connection, connection.transaction():
        connection.execute(b"SET LOCAL ROLE authenticated")
        set_claims(connection, TENANT_A)
        assert connection.execute(b"UPDATE public.audit_anomalies SET feedback_notes = 'seen'").rowcount == 1
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(b"UPDATE public.audit_anomalies SET anomaly_score = 0")


def test_the_logins_work_where_the_extension_has_a_schema_of_its_own(migrated_supabase: Database) -> None:
    vector = json.dumps([0.5] * 1536)
    with migrated_supabase.connect() as connection, connection.transaction():
        event = log_event(connection, TENANT_A)[0]
    with migrated_supabase.as_tenant("jobs", TENANT_A) as connection:
        connection.execute(b"SET LOCAL search_path = public, extensions")
        connection.execute(
            "INSERT INTO public.audit_embeddings (audit_event_id, tenant_id, embedding, content_text)"
            " VALUES (%s, %s, %s, 'text')",
            (event, TENANT_A, vector),
        )
        found = connection.execute(
            "SELECT audit_event_id FROM public.audit_embeddings ORDER BY embedding <=> %s::vector", (vector,)
        ).fetchall()
    assert found == [(event,)]


def test_the_ledger_is_out_of_the_api_roles_reach(migrated_supabase: Database) -> None:
    for role in ("anon", "authenticated", "service_role", "orka_app", "orka_jobs", "orka_readonly"):
        with migrated_supabase.connect() as connection:
            connection.execute(f"SET ROLE {role}".encode())
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(b"SELECT * FROM orka_migrations.ledger")
