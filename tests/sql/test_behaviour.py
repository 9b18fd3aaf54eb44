"""The probes of behaviour: they see a weakened database by what it does, and leave nothing behind."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from ops.migrate import trial
from ops.migrate.behaviour import BehaviourError, parse_behaviour
from ops.migrate.contract import parse_contract
from tests.sql.mutations import MUTATIONS
from tests.sql.support import GUIDE_TABLES, SQL, TENANT_A, Database, Server, copy_sql, log_event, ops

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg

CONTRACT = parse_contract((SQL / "contract.yaml").read_text(encoding="utf-8"))
BEHAVIOUR = parse_behaviour((SQL / "behaviour.yaml").read_text(encoding="utf-8"))
HELD = [*(f"public.{table}" for table in GUIDE_TABLES), "orka_audit.chain_heads"]
# Kinds that are the comparison's alone: nobody may read such a view yet; and a trigger's plan that was made
# under such a rule stays with the session when the rule is gone, for it depends on nothing: later tries fail.
NOT_TRIED = ("view with its owner's rights", "rule that swallows what is written")
# What nobody can notice, as patterns of "kind: object by statement"; the comparison of the catalog finds it.
UNNOTICED = (
    # Only slower, and no query whose plan is looked at.
    "(dropped|invalid) index: (?!.*tenant_timestamp |.*tenant_next_run |.*embeddings_(tenant|vector) )",
    # A primary key covers (id, tenant_id); the trigger computes the hash, and these columns too.
    "dropped constraint: .*(valid_hash|logs_pkey) ",
    r"nullable column: .*(logs\.(seq|hash|previous_hash|created_at)|chain_heads\.(seq|hash)) ",
    # The policy refuses a row without tenant before the column does.
    r"nullable column: .*\.tenant_id ",
    # No client may touch the heads at all, and their owner may everything.
    "(policy for everybody|row security).*chain_heads",
    # The trigger per statement refuses first.
    "(dropped|disabled) trigger: .*_refuse_row ",
    # These rights are to make objects, not to reach rows.
    "granted to everybody: grant (REFERENCES|TRIGGER) ",
    # Who reaches the schema may call it already, or not what it calls.
    r"function for everybody: .*(current_tenant|tenant_claim|verify_chain|event_hash)\(",
    # An attack would have to come first, with a schema of its own.
    "function with an open search path: ",
    "function with the other security: .*(current_tenant|tenant_claim|event_digest|event_hash|link_hash)",
    # It says where the claims have the tenant, and is the owner's to change: the probes look where it says.
    "function with another bound body: .*tenant_claim",
    "function with the other security: .*(refuse_change|touch_updated)",
    "group that logs in or bypasses: .* (LOGIN|CREATEROLE)$",
)


def tried(connection: psycopg.Connection[Any], statement: str) -> tuple[str, ...]:
    """What the probes find after a statement that is then rolled back."""
    with connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        return tuple(map(str, trial.probe(connection, BEHAVIOUR, CONTRACT).findings))


def test_verify_tries_thousands_of_probes_and_says_how_many_of_which_kind(migrated: Database) -> None:
    run = ops(migrated, "verify", "--json")
    assert (run.code, run.json["left_out"]) == (0, [])
    assert set(run.json["tried"]) == {"isolation", "rights", "values", "chain", "search", "plans"}
    assert sum(run.json["tried"].values()) > 4000
    text = ops(migrated, "verify").out
    assert re.search(r"tried out and rolled back: \d+ of isolation, \d+ of rights", text)


def test_the_probes_leave_no_row_no_head_no_role_and_no_membership(migrated: Database) -> None:
    with migrated.as_tenant("app", TENANT_A) as connection:
        log_event(connection, TENANT_A)
    traces = " UNION ALL ".join(f"SELECT '{table}', to_jsonb(t) FROM {table} AS t" for table in HELD)
    traces += " UNION ALL SELECT 'roles', to_jsonb(r) FROM pg_roles AS r"
    traces += " UNION ALL SELECT 'members', to_jsonb(m) FROM pg_auth_members AS m ORDER BY 1, 2"
    before = migrated.rows(traces)
    assert ops(migrated, "verify").code == 0
    assert migrated.rows(traces) == before


def test_the_probes_wait_for_no_writer_and_no_writer_waits_for_them(migrated: Database) -> None:
    with migrated.connect() as writer, writer.transaction(force_rollback=True):
        for table in HELD:
            writer.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        log_event(writer, TENANT_A)
        assert ops(migrated, "verify").code == 0, "any stronger lock would have waited for the writer"
    with migrated.connect() as other, other.transaction(force_rollback=True):
        other.execute(b"LOCK TABLE public.audit_access_log IN SHARE MODE")
        run = ops(migrated, "verify")
    assert (run.code, "55P03" in run.err) == (15, True), "the probes give up soon where they are locked out"


def test_catalog_only_writes_nothing_at_all(migrated: Database) -> None:
    first = migrated.value("SELECT pg_current_xact_id()::text::bigint")
    assert ops(migrated, "verify", "--catalog-only").code == 0
    # Not one transaction of the run took an id.
    assert migrated.value("SELECT pg_current_xact_id()::text::bigint") - first == 1


def test_on_a_read_only_server_the_catalog_is_compared_and_the_rest_is_said_to_be_left_out(
    migrated: Database,
) -> None:
    migrated.server.execute(f"ALTER DATABASE {migrated.name} SET default_transaction_read_only = on")
    run = ops(migrated, "verify", "--json")
    assert (run.code, run.json["tried"]) == (0, {})
    assert run.json["left_out"] == ["behaviour was not tried out: the server is read-only"]


def test_an_admin_without_superuser_tries_every_role_out(migrated_supabase: Database) -> None:
    run = ops(migrated_supabase, "verify", "--json")
    assert (run.code, run.json["left_out"], run.err) == (0, [], "")
    assert run.json["tried"]["isolation"] > 4000


def test_a_role_that_the_admin_may_not_become_is_named(migrated_supabase: Database, supabase: Server) -> None:
    supabase.execute("REVOKE anon FROM admin")
    try:
        run = ops(migrated_supabase, "verify", "--json")
    finally:
        supabase.execute("GRANT anon TO admin")
    assert (run.code, run.json["left_out"]) == (
        0,
        ["role anon was not tried out: this user may not become it"],
    )


def test_a_newer_schema_is_left_to_the_newer_program(migrated: Database) -> None:
    with migrated.connect() as connection:
        connection.execute(
            b"INSERT INTO orka_migrations.ledger (version, name, sha256, duration_ms, statements, applied_by)"
            b" VALUES ('024', 'later', repeat('a', 64), 1, 1, 'a newer program')"
        )
    run = ops(migrated, "verify", "--json")
    assert (run.code, run.json["left_out"]) == (
        0,
        ["behaviour was not tried out: a newer program knows what it is"],
    )


def test_an_apply_that_breaks_what_the_contract_allows_is_rolled_back(
    empty: Database, tmp_path: Path
) -> None:
    policy = "tenant_isolation_select_audit_anomalies"
    folder = copy_sql(tmp_path, f"\nALTER POLICY {policy} ON public.audit_anomalies USING (true);\n")
    contract = folder / "contract.yaml"
    text = contract.read_text()
    start = text.index(f"      {policy}:")
    own = "using: (tenant_id = ( SELECT orka_audit.current_tenant() AS current_tenant))"
    contract.write_text(text[:start] + text[start:].replace(own, "using: 'true'", 1))
    run = ops(empty, "apply", "--sql-dir", str(folder))
    assert run.code == 13
    assert "orka_readonly SELECT of B's row of public.audit_anomalies with claims A" in run.err
    assert "different:" not in run.err, "the catalog is as this contract says"
    assert empty.value("SELECT to_regclass('public.audit_anomalies')::text") is None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            """CREATE OR REPLACE FUNCTION orka_audit.verify_chain(OUT events bigint, OUT broken_at bigint,
            OUT problem text) RETURNS record LANGUAGE sql STABLE SET search_path = ''
            AS $$ SELECT 3::bigint, NULL::bigint, NULL::text $$""",
            "tampering is found: a gap",
        ),
        (
            """CREATE OR REPLACE FUNCTION orka_audit.event_digest(event public.roche_audit_logs)
            RETURNS bytea LANGUAGE sql STABLE SET search_path = ''
            AS $$ SELECT sha256(event.id::text::bytea) $$""",
            "the hash covers severity",
        ),
        (
            """CREATE OR REPLACE FUNCTION orka_audit.current_tenant() RETURNS uuid LANGUAGE sql STABLE
            SET search_path = '' AS $$ SELECT coalesce(c #>> '{app_metadata,tenant_id}',
            c #>> '{user_metadata,tenant_id}')::uuid
            FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb) AS t (c) $$""",
            "with claims user_metadata",
        ),
        ("GRANT orka_owner TO orka_app", "DELETE on public.audit_anomalies by orka_app"),
        ("GRANT SELECT (config) ON public.audit_integrations TO orka_readonly", "audit_integrations.config"),
        (
            "CREATE POLICY more ON public.audit_anomalies FOR SELECT USING (true)",
            "B's row of public.audit_anom",
        ),
    ],
)
def test_what_was_weakened_by_hand_shows_in_what_the_database_does(
    migrated: Database, statement: str, found: str
) -> None:
    with migrated.connect() as connection:
        assert any(found in finding for finding in tried(connection, statement))


def test_mutations_of_the_live_catalog_are_noticed_by_what_the_database_does(
    migrated_supabase: Database, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --soak all that a client can notice, else the first two of each kind."""
    survivors, unnoticed, done = [], set(), 0
    most = None if request.config.getoption("--soak") else 2
    with migrated_supabase.connect() as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        connection.execute(b"SET search_path = ''")
        for kind, query in MUTATIONS.items():
            if kind in NOT_TRIED:
                continue
            mutations = connection.execute(query.encode()).fetchall()
            named = [(f"{kind}: {name} by {statement}", statement) for name, statement in mutations]
            noticed = [one for one in named if not re.match("|".join(UNNOTICED), one[0])]
            if not noticed:
                unnoticed.add(kind)
            for name, statement in noticed[:most]:
                done += 1
                if not tried(connection, statement):
                    survivors.append(name)
        assert tried(connection, "SELECT 1") == ()
    with capsys.disabled():
        print(f"\n{done} mutations noticed by behaviour alone")
    assert survivors == []
    assert unnoticed == {"function with an open search path"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("owner: [", "not YAML"), ("{ownr: x}", "behaviour.yaml: claims: Field required")],
)
def test_a_behaviour_file_with_a_typo_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BehaviourError, match="behaviour"):
        parse_behaviour(text)
    folder = copy_sql(tmp_path)
    (folder / "behaviour.yaml").write_text(text)
    run = ops(None, "plan", "--sql-dir", str(folder))
    assert (run.code, said in run.err) == (11, True)
    assert "the ops image is of another revision" in run.err


def test_another_expectation_turns_verify_red(migrated: Database, tmp_path: Path) -> None:
    folder = copy_sql(tmp_path)
    file = folder / "behaviour.yaml"
    text = file.read_text()
    file.write_text(
        text.replace("orka_audit.tenants_with_events(): [orka_jobs]", "orka_audit.tenants_with_events(): []")
    )
    run = ops(migrated, "verify", "--json", "--sql-dir", str(folder))
    assert run.code == 14
    assert json.dumps(run.json["cause"]).count("call of orka_audit.tenants_with_events() by orka_jobs") == 1
