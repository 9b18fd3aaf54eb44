"""`verify` turns red for every object that is dropped, opened or weakened, and names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ops.migrate.contract import ContractError, parse_contract
from ops.migrate.verify import compare_catalog, verify
from tests.sql.definition_mutations import DEFINITIONS
from tests.sql.mutations import MUTATIONS
from tests.sql.right_mutations import RIGHTS
from tests.sql.support import SQL, Database, copy_sql, ops

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

CONTRACT = parse_contract((SQL / "contract.yaml").read_text(encoding="utf-8"))
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
    (
        "view public.outer_one (reads public.audit_anomalies with its owner's rights",
        """CREATE VIEW public.inner_one WITH (security_invoker = on) AS SELECT * FROM public.audit_anomalies;
        CREATE VIEW public.outer_one AS SELECT * FROM public.inner_one""",
    ),
    (
        "view public.both (reads public.audit_access_log, public.audit_anomalies with",
        """CREATE VIEW public.both WITH (security_invoker = false) AS SELECT a.id
        FROM public.audit_anomalies AS a JOIN public.audit_access_log AS l ON l.tenant_id = a.tenant_id""",
    ),
    (
        "materialized view public.kept",
        "CREATE MATERIALIZED VIEW public.kept AS SELECT * FROM public.audit_anomalies",
    ),
    (
        "rule of table public.door",
        """CREATE TABLE public.door (id uuid);
        CREATE RULE copy AS ON INSERT TO public.door DO ALSO DELETE FROM public.audit_anomalies""",
    ),
    ("extension vector", "UPDATE pg_extension SET extversion = '0.7.4' WHERE extname = 'vector'"),
]


def findings(connection: psycopg.Connection[Any], statement: str, *, newer_schema: bool = False) -> list[str]:
    """What verify finds after a statement that is then rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        return [str(finding) for finding in verify(connection, CONTRACT, newer_schema=newer_schema).findings]


def compared(connection: psycopg.Connection[Any], statement: str) -> list[str]:
    """The objects that the comparison alone names after a statement that is then rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        return [one.object for one in compare_catalog(connection, CONTRACT, newer_schema=False).findings]


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


def test_every_mutation_is_found_and_named_by_the_comparison_alone(
    migrated: Database, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --soak all of them, else about twenty of each kind, from all over the catalog."""
    survivors, done = [], 0
    soak = request.config.getoption("--soak")
    with migrated.connect() as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        connection.execute(b"SET search_path = ''")
        for kind, query in (DEFINITIONS | RIGHTS).items():
            every = sorted(connection.execute(query.encode()).fetchall())
            assert every, f"no mutation of kind: {kind}"
            mutations = every if soak else every[:: len(every) // 20 + 1]
            done += len(mutations)
            survivors += [
                f"{kind}: {name} by {statement}"
                for name, statement in mutations
                if name not in compared(connection, statement)
            ]
        assert compared(connection, "SELECT 1") == []
    with capsys.disabled():
        print(f"\n{done} mutations that the comparison alone finds")
    assert survivors == []


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


def test_a_newer_schema_may_not_let_a_role_hand_on_what_the_contract_gives_it(migrated: Database) -> None:
    grant = "GRANT SELECT ON public.roche_audit_logs TO orka_app WITH GRANT OPTION"
    with migrated.connect() as connection:
        found = findings(connection, grant, newer_schema=True)
    told = "(expected granted; found granted with grant option)"
    assert found == [f"different: grant SELECT on public.roche_audit_logs to orka_app {told}"]


def test_a_view_with_its_readers_rights_over_our_tables_is_nobodys_fault(migrated: Database) -> None:
    over = "CREATE VIEW public.mine WITH (security_invoker) AS SELECT * FROM public.audit_anomalies"
    on_top = "CREATE VIEW public.mine_too WITH (security_invoker = yes) AS SELECT * FROM public.mine"
    with migrated.connect() as connection:
        assert findings(connection, f"{over}; {on_top}") == []


def test_a_newer_schema_may_not_bring_such_a_view_either(migrated: Database) -> None:
    view = "CREATE VIEW public.leak AS SELECT * FROM public.roche_audit_logs"
    with migrated.connect() as connection:
        found = findings(connection, view, newer_schema=True)
    assert [line.split(" (")[0] for line in found] == ["unexpected: view public.leak"]


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
    assert "the ops image is of another revision" in run.err
