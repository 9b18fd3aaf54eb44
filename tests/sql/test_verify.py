"""`verify` turns red for every object that is dropped, opened or weakened, and names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ops.migrate.contract import ContractError, parse_contract
from ops.migrate.verify import verify
from tests.sql.support import SQL, Database, copy_sql, ops

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

CONTRACT = parse_contract((SQL / "contract.yaml").read_text(encoding="utf-8"))
TABLES = "(pg_class AS t JOIN pg_namespace AS n ON n.oid = t.relnamespace)"
OURS = "n.nspname IN ('public', 'orka_audit')"
# Each query gives (object's name as a finding must show it, SQL that harms it), read from the live catalog.
MUTATIONS = {
    "dropped index": f"""
        SELECT format('index %s.%s.%s', n.nspname, t.relname, i.relname),
               format('DROP INDEX %I.%I', n.nspname, i.relname)
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN {TABLES} ON t.oid = x.indrelid
        WHERE {OURS} AND NOT EXISTS (
            SELECT FROM pg_constraint AS c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u'))
    """,
    "invalid index": f"""
        SELECT format('index %s.%s.%s', n.nspname, t.relname, i.relname),
               format('UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s', i.oid)
        FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid JOIN {TABLES} ON t.oid = x.indrelid
        WHERE {OURS}
    """,
    "dropped constraint": f"""
        SELECT format('constraint %s.%s.%s', n.nspname, t.relname, c.conname),
               format('ALTER TABLE %I.%I DROP CONSTRAINT %I CASCADE', n.nspname, t.relname, c.conname)
        FROM pg_constraint AS c JOIN {TABLES} ON t.oid = c.conrelid
        WHERE {OURS} AND c.contype <> 'n'
    """,
    "nullable column": f"""
        SELECT format('column %s.%s.%s', n.nspname, t.relname, a.attname),
               format('ALTER TABLE %I.%I ALTER COLUMN %I DROP NOT NULL', n.nspname, t.relname, a.attname)
        FROM pg_attribute AS a JOIN {TABLES} ON t.oid = a.attrelid
        WHERE {OURS} AND t.relkind = 'r' AND a.attnum > 0 AND a.attnotnull
          AND NOT EXISTS (
            SELECT FROM pg_index AS x
            WHERE x.indrelid = t.oid AND x.indisprimary AND a.attnum = ANY(x.indkey))
    """,
    "dropped policy": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('DROP POLICY %I ON %I.%I', p.polname, n.nspname, t.relname)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE {OURS}
    """,
    "policy for everybody": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('ALTER POLICY %I ON %I.%I TO PUBLIC', p.polname, n.nspname, t.relname)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE {OURS}
    """,
    "policy without tenant": f"""
        SELECT format('policy %s.%s.%s', n.nspname, t.relname, p.polname),
               format('ALTER POLICY %I ON %I.%I %s', p.polname, n.nspname, t.relname,
                      CASE p.polcmd WHEN 'a' THEN 'WITH CHECK (true)' ELSE 'USING (true)' END)
        FROM pg_policy AS p JOIN {TABLES} ON t.oid = p.polrelid
        WHERE n.nspname = 'public'
    """,
    "row security off": f"""
        SELECT format('row security of %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "row security not forced": f"""
        SELECT format('row security of %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "other owner": f"""
        SELECT format('table %s.%s', n.nspname, t.relname),
               format('ALTER TABLE %I.%I OWNER TO orka_app', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "dropped table": f"""
        SELECT format('table %s.%s', n.nspname, t.relname),
               format('DROP TABLE %I.%I CASCADE', n.nspname, t.relname)
        FROM {TABLES} WHERE {OURS} AND t.relkind = 'r'
    """,
    "dropped trigger": f"""
        SELECT format('trigger %s.%s.%s', n.nspname, t.relname, g.tgname),
               format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, t.relname)
        FROM pg_trigger AS g JOIN {TABLES} ON t.oid = g.tgrelid
        WHERE {OURS} AND NOT g.tgisinternal
    """,
    "disabled trigger": f"""
        SELECT format('trigger %s.%s.%s', n.nspname, t.relname, g.tgname),
               format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, t.relname, g.tgname)
        FROM pg_trigger AS g JOIN {TABLES} ON t.oid = g.tgrelid
        WHERE {OURS} AND NOT g.tgisinternal
    """,
    "revoked from a role": f"""
        SELECT format('grant %s on %s.%s to %s', a.privilege_type, n.nspname, t.relname, r.rolname),
               format('REVOKE %s ON %I.%I FROM %I', a.privilege_type, n.nspname, t.relname, r.rolname)
        FROM {TABLES} CROSS JOIN LATERAL aclexplode(t.relacl) AS a
        JOIN pg_roles AS r ON r.oid = a.grantee WHERE {OURS} AND t.relkind = 'r' AND r.oid <> t.relowner
    """,
    "granted to everybody": f"""
        SELECT format('grant %s on %s.%s to public', v, n.nspname, t.relname),
               format('GRANT %s ON %I.%I TO PUBLIC', v, n.nspname, t.relname)
        FROM {TABLES}
        CROSS JOIN unnest(
            ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS v
        WHERE {OURS} AND t.relkind = 'r'
    """,
    "function for everybody": """
        SELECT format('grant EXECUTE on function orka_audit.%s(%s) to public', p.proname,
                      pg_get_function_identity_arguments(p.oid)),
               format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', p.oid::regprocedure)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'
    """,
    "function with an open search path": """
        SELECT format('function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               format('ALTER FUNCTION %s RESET search_path', p.oid::regprocedure)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'
    """,
    "function with the other security": """
        SELECT format('function orka_audit.%s(%s)', p.proname, pg_get_function_identity_arguments(p.oid)),
               format('ALTER FUNCTION %s SECURITY %s', p.oid::regprocedure,
                      CASE WHEN p.prosecdef THEN 'INVOKER' ELSE 'DEFINER' END)
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE n.nspname = 'orka_audit'
    """,
    "group that logs in or bypasses": """
        SELECT format('role %s', rolname), format('ALTER ROLE %I %s', rolname, attribute)
        FROM pg_roles CROSS JOIN unnest(ARRAY['LOGIN', 'BYPASSRLS', 'SUPERUSER', 'CREATEROLE']) AS attribute
        WHERE rolname IN ('orka_owner', 'orka_app', 'orka_jobs', 'orka_readonly')
    """,
}
BY_HAND = [
    ("function orka_audit.current_tenant()", "ALTER FUNCTION orka_audit.current_tenant() VOLATILE"),
    (
        "function orka_audit.current_tenant()",
        """CREATE OR REPLACE FUNCTION orka_audit.current_tenant() RETURNS uuid LANGUAGE sql STABLE
        SET search_path = '' AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$""",
    ),
    ("function orka_audit.tenants_with_events()", "DROP FUNCTION orka_audit.tenants_with_events()"),
    ("role orka_app", "GRANT orka_owner TO orka_app"),
    ("function public.exec_sql", "CREATE FUNCTION public.exec_sql(text) RETURNS void LANGUAGE sql AS ''"),
    (
        "column public.audit_anomalies.anomaly_score",
        "ALTER TABLE public.audit_anomalies ALTER COLUMN anomaly_score TYPE numeric(3, 2)",
    ),
    (
        "grant SELECT (config) on public.audit_integrations to orka_readonly",
        "GRANT SELECT (config) ON public.audit_integrations TO orka_readonly",
    ),
    (
        "policy public.audit_anomalies.more",
        "CREATE POLICY more ON public.audit_anomalies FOR SELECT USING (true)",
    ),
]


def findings(connection: psycopg.Connection[Any], statement: str, *, newer_schema: bool = False) -> list[str]:
    """What verify finds after a statement that is then rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        return [str(finding) for finding in verify(connection, CONTRACT, newer_schema=newer_schema).findings]


def test_every_mutation_of_the_live_catalog_is_found_and_named(
    migrated: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    survivors, done = [], 0
    with migrated.connect() as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        connection.execute(b"SET search_path = ''")
        for kind, query in MUTATIONS.items():
            mutations = connection.execute(query.encode()).fetchall()
            assert mutations, f"no mutation of kind: {kind}"
            for name, statement in mutations:
                done += 1
                if not any(f": {name}" in finding for finding in findings(connection, statement)):
                    survivors.append(f"{kind}: {name}")
        assert findings(connection, "SELECT 1") == []
    with capsys.disabled():
        print(f"\n{done} mutations of the catalog")
    assert survivors == []
    assert done > 300


@pytest.mark.parametrize(("name", "statement"), BY_HAND)
def test_what_was_weakened_by_hand_is_named(migrated: Database, name: str, statement: str) -> None:
    with migrated.connect() as connection:
        found = findings(connection, statement)
    assert any(f": {name}" in finding for finding in found), found


@pytest.mark.parametrize(
    "kind", ["dropped index", "dropped policy", "row security off", "granted to everybody"]
)
def test_an_older_contract_still_finds_what_is_missing_or_open(migrated: Database, kind: str) -> None:
    with migrated.connect() as connection:
        for name, statement in connection.execute(MUTATIONS[kind].encode()).fetchall():
            assert any(
                f": {name}" in found for found in findings(connection, statement, newer_schema=True)
            ), name


def test_the_verb_ends_red_with_the_objects_name_and_changes_nothing(migrated: Database) -> None:
    assert ops(migrated, "verify").code == 0
    with migrated.connect() as connection:
        connection.execute(b"DROP INDEX public.idx_audit_embeddings_vector")
        connection.execute(b"DROP TABLE public.audit_bias_metrics")
    run = ops(migrated, "verify", "--json")
    assert (run.code, run.json["outcome"]) == (14, "verify_failed")
    assert "missing: index public.audit_embeddings.idx_audit_embeddings_vector" in run.json["cause"]
    assert "missing: table public.audit_bias_metrics" in run.json["cause"]
    assert migrated.value("SELECT to_regclass('public.audit_bias_metrics')::text") is None


def test_verify_of_an_empty_database_is_red(empty: Database) -> None:
    run = ops(empty, "verify")
    assert run.code == 14
    assert "missing: table public.roche_audit_logs" in run.err


def test_the_contract_is_what_the_catalog_verb_prints(migrated_supabase: Database) -> None:
    shown = ops(migrated_supabase, "catalog", "--json").json["catalog"]
    expected = CONTRACT.model_dump(exclude_none=True)
    assert shown == {key: expected[key] for key in shown}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: '023'", "tables: Field required"),
        ("version: [", "not YAML"),
        ("{versoin: '023'}", "contract.yaml: "),
    ],
)
def test_a_contract_with_a_typo_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ContractError, match="contract"):
        parse_contract(text)
    folder = copy_sql(tmp_path)
    (folder / "contract.yaml").write_text(text)
    run = ops(None, "plan", "--sql-dir", str(folder))
    assert run.code == 11
    assert said in run.err
