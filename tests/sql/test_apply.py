"""`ops migrate apply` on real databases: what it does, and what it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.sql import two_runners
from tests.sql.support import (
    GUIDE_TABLES,
    SQL,
    Database,
    Server,
    copy_sql,
    lock_held,
    ops,
    wait_for_runners,
)

if TYPE_CHECKING:
    from pathlib import Path


INDEX = "idx_anomalies_tenant_timestamp"
LATER = (
    b"INSERT INTO orka_migrations.ledger (version, name, sha256, duration_ms, statements, applied_by)"
    b" VALUES ('024', 'later', repeat('a', 64), 1, 1, 'a newer program')"
)
INDEXES_OF_THE_LOG = {
    "roche_audit_logs_pkey",
    "roche_audit_logs_id_tenant_key",
    "roche_audit_logs_tenant_seq_key",
    "idx_roche_audit_logs_tenant_timestamp",
    "idx_roche_audit_logs_tenant_entity_timestamp",
    "idx_roche_audit_logs_tenant_anomalies",
    "idx_roche_audit_logs_timestamp_brin",
}
TRACES = """
    SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'orka_audit', 'orka_migrations')
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orka%'
"""


def test_apply_makes_the_nine_tables_of_the_guide_and_prints_them_in_its_order(empty: Database) -> None:
    run = ops(empty, "apply")
    assert run.code == 0
    shown = [line.strip() for line in run.out.splitlines()]
    start = shown.index("table_name") + 2
    assert shown[start : start + 10] == [*GUIDE_TABLES, "(9 rows)"]
    assert {
        row[0] for row in empty.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    } == set(GUIDE_TABLES)


def test_every_table_has_row_security_on_and_forced(migrated: Database) -> None:
    loose = migrated.rows(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'orka_audit') AND c.relkind = 'r'"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )
    assert loose == []


def test_no_foreign_key_takes_evidence_along_with_what_it_refers_to(migrated: Database) -> None:
    assert migrated.rows(
        "SELECT DISTINCT confdeltype::text, confupdtype::text, count(*) > 2 FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = 'public'::regnamespace GROUP BY 1, 2"
    ) == [("a", "a", True)]


def test_the_log_has_four_indexes_and_its_keys(migrated: Database) -> None:
    found = migrated.rows(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'public.roche_audit_logs'::regclass"
    )
    assert {name for (name,) in found} == INDEXES_OF_THE_LOG


def test_constraints_of_the_same_names_elsewhere_keep_none_of_ours_away(
    empty: Database, migrated: Database
) -> None:
    """The original scripts looked for a name in the whole database."""
    names = [
        name
        for (name,) in migrated.rows(
            "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'c'"
        )
    ]
    assert len(names) > 10
    checks = ", ".join(f"CONSTRAINT {name} CHECK (true)" for name in names)
    with empty.connect() as connection:
        connection.execute(f"CREATE TABLE public.of_another (id integer, {checks})".encode())
    assert ops(empty, "apply").code == 0
    assert empty.rows(
        "SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype = 'c'"
        " AND conrelid <> 'public.of_another'::regclass ORDER BY 1"
    ) == [(name,) for name in sorted(names)]


def test_nothing_is_granted_to_public_and_no_policy_is_for_everybody(migrated: Database) -> None:
    grants = migrated.rows(
        "SELECT table_name, privilege_type FROM information_schema.table_privileges"
        " WHERE grantee = 'PUBLIC' AND table_schema IN ('public', 'orka_audit')"
    )
    policies = migrated.rows("SELECT policyname FROM pg_policies WHERE 'public' = ANY(roles)")
    assert (grants, policies) == ([], [])


def test_a_second_run_executes_no_ddl_and_leaves_the_ledger_as_it_is(empty: Database) -> None:
    assert ops(empty, "apply").code == 0
    ledger = empty.rows("SELECT * FROM orka_migrations.ledger")
    with empty.connect() as connection:
        connection.execute(
            b"CREATE FUNCTION public.no_ddl() RETURNS event_trigger LANGUAGE plpgsql"
            b" AS $$ BEGIN RAISE EXCEPTION 'DDL: %', tg_tag; END $$"
        )
        connection.execute(
            b"CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION public.no_ddl()"
        )
        before = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        run = ops(empty, "apply", "--json")
        after = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
    assert (run.code, run.json["outcome"], run.json["applied"]) == (0, "nothing to do", [])
    assert empty.rows("SELECT * FROM orka_migrations.ledger") == ledger
    # Not one transaction of the run took an id, so it wrote nothing at all.
    assert before is not None
    assert after is not None
    assert after[0] - before[0] == 1


@pytest.mark.parametrize(
    ("append", "sqlstate"),
    [
        ("\nINSERT INTO public.audit_no_such_table VALUES (1);\n", "42P01"),
        ("\nSELECT 1 / 0;\n", "22012"),
        ("\nSELEKT 1;\n", "42601"),
    ],
)
def test_sql_that_fails_leaves_nothing_and_says_what_and_where(
    empty: Database, tmp_path: Path, append: str, sqlstate: str
) -> None:
    cause = tmp_path / "termination-log"
    folder = copy_sql(tmp_path, append)
    line = len((folder / "023_ai_empowered_audit_trail" / "up.sql").read_text().splitlines())
    run = ops(empty, "apply", "--sql-dir", str(folder), TERMINATION_LOG=str(cause))
    assert run.code == 15
    for told in (run.err, cause.read_text()):
        assert f"{sqlstate}: " in told
        assert f"023_ai_empowered_audit_trail/up.sql line {line}" in told
        assert f"statement: {append.strip().rstrip(';')}" in told
    assert empty.rows(TRACES) == []
    assert ops(empty, "apply").code == 0, "after the repair the next run applies it"


def test_a_migration_that_does_not_fulfil_the_contract_is_rolled_back(
    empty: Database, tmp_path: Path
) -> None:
    folder = copy_sql(tmp_path, "\nALTER TABLE public.audit_anomalies NO FORCE ROW LEVEL SECURITY;\n")
    run = ops(empty, "apply", "--sql-dir", str(folder))
    assert run.code == 13
    assert "row security of public.audit_anomalies" in run.err
    assert empty.rows(TRACES) == []


def test_a_file_edited_after_it_was_applied_is_refused(migrated: Database, tmp_path: Path) -> None:
    folder = copy_sql(tmp_path, "\n-- one more comment\n")
    for verb in ("apply", "status"):
        run = ops(migrated, verb, "--sql-dir", str(folder))
        assert run.code == 12
        assert "023_ai_empowered_audit_trail/up.sql was changed" in run.out + run.err


def test_an_older_program_finds_a_newer_schema_in_order_and_changes_nothing(migrated: Database) -> None:
    with migrated.connect() as connection:
        connection.execute(LATER)
        connection.execute(b"ALTER TABLE public.audit_anomalies ADD COLUMN later text")
        connection.execute(b"CREATE INDEX later ON public.audit_anomalies (later)")
    run = ops(migrated, "apply", "--json")
    assert (run.code, run.json["later"], run.json["applied"]) == (0, ["024"], [])
    with migrated.connect() as connection:
        connection.execute(b"ALTER TABLE public.audit_anomalies DISABLE ROW LEVEL SECURITY")
        connection.execute(b"GRANT SELECT ON public.audit_anomalies TO PUBLIC")
    run = ops(migrated, "apply")
    assert run.code == 14, "a newer schema may add, it may not open what was closed"
    assert "grant SELECT on public.audit_anomalies to public" in run.err
    assert "row security of public.audit_anomalies" in run.err


@pytest.mark.parametrize(
    ("weakened", "found"),
    [
        (
            "ALTER TABLE public.audit_access_log DISABLE TRIGGER audit_access_log_refuse_row",
            "trigger public.audit_access_log.audit_access_log_refuse_row",
        ),
        (
            "ALTER FUNCTION orka_audit.extend_chain() SECURITY INVOKER",
            "function orka_audit.extend_chain()",
        ),
        (
            "ALTER FUNCTION orka_audit.extend_chain() RESET search_path",
            "function orka_audit.extend_chain()",
        ),
        (
            "ALTER TABLE public.audit_embeddings ALTER COLUMN tenant_id DROP NOT NULL",
            "column public.audit_embeddings.tenant_id",
        ),
        (
            f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.{INDEX}'::regclass",
            f"index public.audit_anomalies.{INDEX}",
        ),
    ],
)
def test_on_a_newer_schema_an_older_program_still_finds_a_protection_that_is_gone(
    migrated: Database, weakened: str, found: str
) -> None:
    with migrated.connect() as connection:
        connection.execute(LATER)
        connection.execute(weakened.encode())
    run = ops(migrated, "apply")
    assert run.code == 14
    assert f"different: {found}" in run.err


def test_a_new_object_without_a_later_migration_is_drift(migrated: Database) -> None:
    with migrated.connect() as connection:
        connection.execute(b"ALTER TABLE public.audit_anomalies ADD COLUMN by_hand text")
    run = ops(migrated, "apply")
    assert run.code == 14
    assert "unexpected: column public.audit_anomalies.by_hand" in run.err


def test_versions_only_grow(migrated: Database, tmp_path: Path) -> None:
    folder = copy_sql(tmp_path)
    (folder / "022_late_comer").mkdir()
    (folder / "022_late_comer" / "up.sql").write_text("SELECT 1;")
    run = ops(migrated, "apply", "--sql-dir", str(folder))
    assert run.code == 15
    assert "022 (late_comer) is pending though 023 is applied" in run.err


def test_two_runners_at_once_one_applies_and_the_other_waits_and_does_nothing(empty: Database) -> None:
    with lock_held(empty) as holder:
        runners = two_runners.start(empty, SQL)
        wait_for_runners(empty, 2)
        assert empty.rows(TRACES) == [], "both wait while the lock is held"
        holder.close()
        assert two_runners.results(runners, "023", 30) == [False, True]
    assert empty.value("SELECT count(*) FROM orka_migrations.ledger") == 1


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_a_runner_ended_in_the_middle_leaves_nothing_and_the_next_one_applies(
    empty: Database, tmp_path: Path, sign: signal.Signals, code: int
) -> None:
    folder = copy_sql(tmp_path, "\nSELECT pg_sleep(600);\n")
    command = [sys.executable, "-m", "ops.cli", "migrate", "apply", "--sql-dir", str(folder)]
    cause = tmp_path / "cause"
    environ = {**os.environ, "DATABASE_URL": empty.admin_url, "TERMINATION_LOG": str(cause)}
    runner = subprocess.Popen(command, env=environ, cwd=SQL.parent, stderr=subprocess.DEVNULL)
    wait_for_runners(empty, 1, "SELECT pg_sleep(600)")
    runner.send_signal(sign)
    assert runner.wait(timeout=10) == code
    assert cause.exists() == (sign == signal.SIGTERM)
    run = ops(empty, "apply", "--json", "--lock-wait", "30")
    assert (run.code, run.json["applied"]) == (0, ["023"])


def test_a_lock_held_too_long_is_reported_with_its_holder(empty: Database) -> None:
    with lock_held(empty) as holder:
        run = ops(empty, "apply", "--lock-wait", "0")
        assert run.code == 10
        assert f"pid {holder.info.backend_pid}, " in run.err
    assert empty.rows(TRACES) == []


def test_tables_made_by_hand_are_named_and_not_touched(empty: Database) -> None:
    with empty.connect() as connection:
        connection.execute(b"CREATE TABLE public.roche_audit_logs (id uuid)")
    run = ops(empty, "apply")
    assert run.code == 11
    assert "public.roche_audit_logs" in run.err
    assert empty.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orka%'") == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [((), "these tables exist already, made by hand"), (("--adopt",), "these tables are of no known shape")],
)
def test_tables_made_by_hand_are_told_with_the_other_faults(
    server: Server, more: tuple[str, ...], said: str
) -> None:
    database = server.create(vector=False)
    with database.connect() as connection:
        connection.execute(b"CREATE TABLE public.roche_audit_logs (id uuid)")
    run = ops(database, "apply", *more)
    assert run.code == 11
    assert "the extension vector is not in this database" in run.err
    assert said in run.err
    assert ops(database, "apply", "--create-extension", *more).code == 11
    assert database.rows("SELECT extname FROM pg_extension WHERE extname = 'vector'") == []
    assert database.rows(TRACES) == [("public.roche_audit_logs",)], "nothing was changed"
    database.drop()


def test_a_missing_extension_is_refused_unless_asked_to_create_it(server: Server) -> None:
    database = server.create(vector=False)
    run = ops(database, "apply")
    assert run.code == 11
    assert "the extension vector is not in this database" in run.err
    assert database.rows(TRACES) == []
    assert ops(database, "apply", "--create-extension").code == 0
    database.drop()


def test_a_database_made_read_only_is_refused_and_not_taken_for_a_replica(empty: Database) -> None:
    empty.server.execute(f"ALTER DATABASE {empty.name} SET default_transaction_read_only = on")
    run = ops(empty, "apply")
    assert run.code == 11
    assert "free space, then SET default_transaction_read_only = off" in run.err
    assert "primary" not in run.err


def test_the_ledger_says_who_applied_what_from_which_file(migrated: Database) -> None:
    planned = ops(None, "plan", "--json").json["migrations"]
    status = ops(migrated, "status", "--json")
    assert (status.code, status.json["outcome"], status.json["pending"]) == (0, "up to date", [])
    entry = status.json["ledger"][0]
    assert (entry["version"], entry["sha256"]) == ("023", planned[0]["sha256"])
    assert entry["applied_by"].startswith("postgres by ")
