"""A database where the original scripts were run by hand ends at the same contract, with every row."""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from tests.sql.kills import ADOPT, kill_after, wait_asleep
from tests.sql.originals import LEFT, OLD_EVENT, QUARANTINE, TITLES, VARIANTS, OldApplication, make_original
from tests.sql.outcome import catalog, chain_problems
from tests.sql.support import (
    GUIDE_TABLES,
    TENANT_A,
    TENANT_B,
    TENANT_C,
    Database,
    copy_sql,
    log_event,
    ops,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MANY = 1_000_000
READ_USERS = b"LOCK TABLE auth.users IN ACCESS SHARE MODE"
REFERENCES = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text ~ 'audit_'"
ROWS_OF_75 = "SELECT rows_done FROM orka_migrations.steps WHERE step = 'adopt/75_let_references_go'"
HOLD = """
    CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE TRIGGER hold AFTER INSERT ON orka_new.roche_audit_logs EXECUTE FUNCTION public.hold()
"""


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_ends_at_the_contract_with_every_row_and_whole_chains(
    make: Callable[[str], Database], migrated: Database, variant: str
) -> None:
    database = make(variant)
    tables = GUIDE_TABLES if variant != "base" else GUIDE_TABLES[:1]
    before = {table: database.value(f"SELECT count(*) FROM public.{table}") for table in tables}
    run = ops(database, "apply", "--adopt", "--json", "--batch-size", "70")
    assert (run.code, run.json.get("applied")) == (0, ["023"]), run.out + run.err
    assert ops(database, "verify").code == 0
    assert catalog(database) == catalog(migrated), "the same as where up.sql ran"
    after = {table: database.value(f"SELECT count(*) FROM public.{table}") for table in tables}
    assert after == {
        table: count - (LEFT.get(table, 0) if variant != "base" else 0) for table, count in before.items()
    }
    assert database.value("SELECT count(*) FROM orka_original.roche_audit_logs") == before["roche_audit_logs"]
    assert chain_problems(database) == []
    again = ops(database, "apply", "--json")
    assert (again.code, again.json["outcome"]) == (0, "nothing to do")


def test_events_stand_in_their_tenants_chain_by_time_and_id_and_nobodys_in_quarantine(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    assert ops(database, "apply", "--adopt").code == 0
    tenants = database.rows(
        "SELECT tenant_id, count(*), max(seq) FROM public.roche_audit_logs GROUP BY 1 ORDER BY 1"
    )
    assert tenants == [
        (uuid.UUID(QUARANTINE), 100, 100),
        (TENANT_A, 100, 100),
        (TENANT_B, 100, 100),
    ]
    disorder = database.value(
        "SELECT count(*) FROM (SELECT seq,"
        " row_number() OVER (PARTITION BY tenant_id ORDER BY timestamp, id) AS place"
        " FROM public.roche_audit_logs) AS e WHERE seq <> place"
    )
    assert disorder == 0


def test_values_keep_their_meaning_in_the_wider_types_and_gaps_are_filled(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    assert ops(database, "apply", "--adopt").code == 0
    lost = database.value(
        "SELECT count(*) FROM orka_original.roche_audit_logs AS o"
        " LEFT JOIN public.roche_audit_logs AS n USING (id)"
        " WHERE n.id IS NULL OR n.entity_id IS DISTINCT FROM o.entity_id::text"
        " OR n.action_details <> o.action_details OR n.anomaly_score IS DISTINCT FROM o.anomaly_score"
        " OR n.created_at <> o.created_at OR n.timestamp <> coalesce(o.timestamp, o.created_at)"
        " OR n.severity <> coalesce(o.severity, 'info') OR n.is_anomaly OR n.category <> o.category"
    )
    assert lost == 0


def test_the_hash_that_the_application_stored_stays_and_cannot_be_changed(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    assert ops(database, "apply", "--adopt").code == 0
    kept = "SELECT count(*) FROM orka_original.roche_audit_logs WHERE hash = md5(id::text) || md5(id::text)"
    assert database.value(kept) == 300
    with database.connect() as connection, pytest.raises(Exception, match="append-only"):
        connection.execute(b"DELETE FROM orka_original.roche_audit_logs")


def test_of_models_that_were_there_twice_the_newest_counts_and_one_is_active(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    assert ops(database, "apply", "--adopt").code == 0
    assert database.rows(
        "SELECT id = md5('model2')::uuid, id = md5('model3')::uuid, is_active"
        " FROM public.audit_ml_models ORDER BY 2"
    ) == [(True, False, False), (False, True, True)]


def test_the_application_writes_on_during_the_run_and_nothing_of_it_is_lost(
    make: Callable[[str], Database],
) -> None:
    database = make("023+024")
    with OldApplication(database) as application:
        run = ops(database, "apply", "--adopt", "--batch-size", "20", "--lock-budget", "60")
    assert run.code == 0, run.err
    assert len(application.written) > 50, "it wrote while the run went on"
    kept = database.value(
        "SELECT count(*) FROM public.roche_audit_logs"
        f" WHERE event_type = 'late' AND tenant_id = '{QUARANTINE}'"
    )
    assert kept == len(application.written)
    assert chain_problems(database) == []


def test_an_event_that_is_committed_while_a_later_one_is_copied_is_copied_too(
    make: Callable[[str], Database], migrated: Database
) -> None:
    database = make("023+024")
    kill_after(database, "58_copy_others")
    with database.connect() as holder, database.connect() as early, database.connect() as copier:
        holder.execute(HOLD.encode())
        holder.execute(b"SELECT pg_advisory_lock(1)")
        early.execute(b"BEGIN")
        early.execute(OLD_EVENT)
        holder.execute(OLD_EVENT)
        copier.execute(b"SET application_name = 'orka-copier'")
        with ThreadPoolExecutor() as pool:
            copied = pool.submit(copier.execute, b"SELECT orka_new.copy_queue(9223372036854775807, 100)")
            wait_asleep(database, event="advisory")
            early.execute(b"COMMIT")
            holder.execute(b"SELECT pg_advisory_unlock(1)")
            assert copied.result(timeout=30).fetchone() == (1,)
        holder.execute(b"DROP FUNCTION public.hold() CASCADE")
    run = ops(database, "apply", "--lock-wait", "30")
    assert run.code == 0, run.err
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 302
    assert catalog(database) == catalog(migrated)


@pytest.mark.soak("takes minutes")
def test_a_million_events_are_taken_over_while_the_application_writes_on(
    make: Callable[[str, int], Database], migrated: Database
) -> None:
    database = make("023+024", MANY)
    with OldApplication(database) as application:
        run = ops(database, "apply", "--adopt", "--lock-budget", "120")
    assert run.code == 0, run.err
    assert len(application.written) > 1000, "it wrote while the run went on"
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == MANY + len(application.written)
    assert chain_problems(database) == []
    assert ops(database, "verify").code == 0
    assert catalog(database) == catalog(migrated)


def test_changes_of_other_tables_during_the_run_arrive_and_changes_of_the_log_are_refused(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    kill_after(database, "58_copy_others")
    with database.connect() as connection:
        connection.execute(b"UPDATE public.audit_anomalies SET feedback_notes = 'seen'")
        connection.execute(b"DELETE FROM public.audit_integrations")
        connection.execute(
            b"UPDATE public.audit_ml_models SET is_active = false WHERE id = md5('model3')::uuid"
        )
        for change in (
            "UPDATE public.roche_audit_logs SET hash = ''",
            "TRUNCATE public.roche_audit_logs CASCADE",
        ):
            with pytest.raises(Exception, match="append-only"):
                connection.execute(change.encode())
    assert ops(database, "apply").code == 0
    assert database.rows("SELECT DISTINCT feedback_notes FROM public.audit_anomalies") == [("seen",)]
    assert database.value("SELECT count(*) FROM public.audit_integrations") == 0
    assert (
        database.value("SELECT is_active FROM public.audit_ml_models WHERE id = md5('model2')::uuid") is True
    )


def test_who_reads_users_is_waited_for_while_nothing_else_is_locked_and_not_by_the_swap(
    make: Callable[[str], Database],
) -> None:
    database = make("023+024")
    references = database.value(REFERENCES)
    with database.connect() as reader, reader.transaction():
        reader.execute(READ_USERS)
        run = ops(database, "apply", "--adopt", "--lock-budget", "1")
    assert run.code == 10
    assert "adopt/75_let_references_go: no lock within 1 s" in run.err
    kill_after(database, "75_let_references_go")
    with database.connect() as reader, reader.transaction():
        reader.execute(READ_USERS)
        assert ops(database, "apply", "--lock-wait", "30", "--lock-budget", "1").code == 0
    assert references > 0
    assert database.rows(ROWS_OF_75) == [(references,)], "one for each foreign key, not a batch for each"


def test_what_would_behave_otherwise_is_found_in_a_rehearsal_before_the_originals_are_locked(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023+024")
    kill_after(database, "75_let_references_go")
    folder = copy_sql(tmp_path)
    wanted = (folder / "behaviour.yaml").read_text()
    allowed, refused = "orka_readonly: { select: all }", "orka_readonly: {}"
    assert allowed in wanted
    (folder / "behaviour.yaml").write_text(wanted.replace(allowed, refused, 1))
    with database.connect() as reader, reader.transaction():
        reader.execute(b"LOCK TABLE public.roche_audit_logs IN ACCESS SHARE MODE")
        run = ops(database, "apply", "--lock-wait", "30", "--sql-dir", str(folder))
    assert run.code == 13, "without its lock on the log, which somebody reads"
    assert "adopt/80_swap was not begun: in its rehearsal" in run.err
    assert "SELECT of public.roche_audit_logs.id by orka_readonly" in run.err
    with database.connect() as connection:
        connection.execute(OLD_EVENT)
    assert ops(database, "apply").code == 0
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 301


def test_a_swap_that_does_otherwise_than_its_rehearsal_is_undone(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023+024")
    folder = copy_sql(tmp_path)
    swap = folder / ADOPT / "80_swap.sql"
    swap.write_text(f"{swap.read_text()}ALTER TABLE public.audit_anomalies NO FORCE ROW LEVEL SECURITY;\n")
    run = ops(database, "apply", "--adopt", "--sql-dir", str(folder))
    assert run.code == 13
    assert "adopt/80_swap was rolled back" in run.err
    assert "row security of public.audit_anomalies" in run.err
    assert database.value("SELECT to_regclass('orka_original.roche_audit_logs') IS NULL")
    assert ops(database, "apply").code == 0


def test_the_new_log_continues_the_chains_and_the_logins_work(make: Callable[[str], Database]) -> None:
    database = make("023+024")
    assert ops(database, "apply", "--adopt").code == 0
    with database.connect() as connection, connection.transaction():
        assert log_event(connection, TENANT_A)[1] == 101
    assert chain_problems(database) == []
    assert (
        database.value("SELECT has_table_privilege('orka_app', 'public.roche_audit_logs', 'INSERT')") is True
    )


def test_an_admin_without_superuser_adopts_and_the_api_roles_lose_what_they_had(
    make_supabase: Callable[[], Database],
) -> None:
    database = make_original(make_supabase(), "023+024")
    assert database.value("SELECT has_table_privilege('anon', 'public.audit_integrations', 'SELECT')") is True
    run = ops(database, "apply", "--adopt")
    assert run.code == 0, run.err
    assert chain_problems(database) == []
    for schema in ("public", "orka_original"):
        names = "', '".join(GUIDE_TABLES)
        held = database.rows(
            f"SELECT t FROM unnest(ARRAY['{names}']) AS t, unnest(ARRAY['anon', 'service_role']) AS r"
            f" WHERE has_table_privilege(r, '{schema}.' || t, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')"
        )
        assert held == []
    database.drop()


def test_baseline_says_what_it_recognised_and_apply_goes_on_from_there(
    make: Callable[[str], Database],
) -> None:
    for variant, title in TITLES.items():
        database = make(variant)
        run = ops(database, "baseline", "--json")
        assert (run.code, run.json["shape"]) == (0, title)
    assert ops(database, "apply").code == 0


def test_without_a_baseline_apply_refuses_with_the_remedy_and_changes_nothing(
    make: Callable[[str], Database],
) -> None:
    database = make("base")
    run = ops(database, "apply")
    assert run.code == 11
    assert "public.roche_audit_logs" in run.err
    assert "ops migrate apply --adopt" in run.err
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orka%'") == 0


def test_baseline_is_refused_where_there_is_nothing_to_recognise(empty: Database, migrated: Database) -> None:
    assert "there is nothing to adopt" in ops(empty, "baseline").err
    assert "under the runner already" in ops(migrated, "baseline").err
    assert [ops(database, "baseline").code for database in (empty, migrated)] == [11, 11]


def test_adopt_on_an_empty_database_is_a_plain_apply(empty: Database) -> None:
    run = ops(empty, "apply", "--adopt", "--json")
    assert (run.code, run.json["applied"]) == (0, ["023"])
    assert empty.rows("SELECT step FROM orka_migrations.steps") == [("up",)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "ALTER TABLE public.audit_anomalies ALTER COLUMN anomaly_score TYPE float",
            "different: column public.audit_anomalies.anomaly_score (expected numeric(3,2) not null; found",
        ),
        (
            "ALTER TABLE public.roche_audit_logs ADD COLUMN more int",
            "unexpected: column public.roche_audit_logs.more",
        ),
        ("DROP TABLE public.audit_bias_metrics", "missing: table public.audit_bias_metrics"),
        (
            "ALTER TABLE public.roche_audit_logs DROP CONSTRAINT valid_category",
            "missing: constraint public.roche_audit_logs.valid_category",
        ),
        (
            "DROP INDEX public.idx_anomalies_score",
            "missing: index public.audit_anomalies.idx_anomalies_score",
        ),
        (
            "CREATE VIEW public.v AS SELECT id FROM public.roche_audit_logs",
            "view public.v reads public.roche_audit_logs",
        ),
        (
            "CREATE TABLE public.x (id uuid REFERENCES public.audit_anomalies)",
            "foreign key x_id_fkey of public.x refers to public.audit_anomalies",
        ),
        (
            "CREATE PUBLICATION p FOR TABLE public.roche_audit_logs",
            "publication p holds public.roche_audit_logs",
        ),
        ("CREATE PUBLICATION p FOR ALL TABLES", "publication p holds all tables"),
        (
            "CREATE PUBLICATION p FOR TABLES IN SCHEMA public",
            "publication p holds all tables of the schema public",
        ),
        ("CREATE FUNCTION public.exec_sql(text) RETURNS void LANGUAGE sql AS ''", "function public.exec_sql"),
    ],
)
def test_a_different_shape_is_refused_before_the_first_change_with_each_difference(
    make: Callable[[str], Database], change: str, said: str
) -> None:
    database = make("023")
    with database.connect() as connection:
        connection.execute(change.encode())
        connection.execute(b"ALTER TABLE public.audit_access_log ADD COLUMN also int")
    for verb in (("baseline",), ("apply", "--adopt")):
        run = ops(database, *verb)
        assert run.code == 11
        assert said in run.err
        assert "unexpected: column public.audit_access_log.also" in run.err
        assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orka%'") == 0


def test_rows_that_will_not_fit_are_counted_and_nothing_of_the_step_stays(
    make: Callable[[str], Database],
) -> None:
    database = make("base")
    with database.connect() as connection:
        connection.execute(b"UPDATE public.roche_audit_logs SET severity = 'loud' WHERE entity_id IS NULL")
    run = ops(database, "apply", "--adopt")
    assert run.code == 15
    assert "60 rows of roche_audit_logs break roche_audit_logs_valid_severity" in run.err
    assert database.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orka%'") == [
        ("orka_migrations",)
    ]


CORRECTIONS = {
    "corrected": f"UPDATE public.roche_audit_logs SET severity = 'error' WHERE id = '{TENANT_C}'",
    "deleted": f"DELETE FROM public.roche_audit_logs WHERE id = '{TENANT_C}'",
}


def misfit(database: Database, step: str) -> str:
    """After a step the old application writes what the new log refuses; the cause of the next run's end."""
    kill_after(database, step)
    with database.connect() as connection:
        connection.execute(
            b"INSERT INTO public.roche_audit_logs (id, event_type, entity_type, action_details, severity)"
            b" VALUES (%s, 'late', 'user', '{}', 'loud')",
            (TENANT_C,),
        )
        connection.execute(OLD_EVENT)
    run = ops(database, "apply", "--lock-wait", "30", "--batch-size", "50")
    assert run.code == 15
    return run.err


@pytest.mark.parametrize(
    ("step", "way"),
    [("10_new_tables", "corrected"), ("30_note_changes", "deleted"), ("75_let_references_go", "corrected")],
)
def test_an_event_that_came_later_and_does_not_fit_is_named_and_once_put_right_the_adoption_ends_well(
    make: Callable[[str], Database], migrated: Database, step: str, way: str
) -> None:
    database, change = make("023+024"), CORRECTIONS[way]
    said = misfit(database, step)
    assert (
        f"row {TENANT_C} of public.roche_audit_logs breaks roche_audit_logs_valid_severity: correct" in said
    )
    assert "then run apply again" in said
    disable, enable = (
        re.findall(rf"ALTER TABLE public\.roche_audit_logs {verb} TRIGGER orka_refuse_change", said)[0]
        for verb in ("DISABLE", "ENABLE ALWAYS")
    )
    with database.connect() as connection:
        with pytest.raises(Exception, match="append-only"):
            connection.execute(change.encode())
        connection.execute(f"BEGIN; {disable}; {change}; {enable}; COMMIT".encode())
    run = ops(database, "apply", "--batch-size", "50")
    assert run.code == 0, run.err
    assert catalog(database) == catalog(migrated)
    assert chain_problems(database) == []
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 302 - (way == "deleted")


def test_another_row_that_was_changed_so_that_it_does_not_fit_is_named_too(
    make: Callable[[str], Database], migrated: Database
) -> None:
    database = make("023")
    kill_after(database, "58_copy_others")
    with database.connect() as connection:
        connection.execute(b"UPDATE public.audit_integrations SET failure_count = -1")
        run = ops(database, "apply", "--lock-wait", "30")
        assert run.code == 15
        assert "of public.audit_integrations breaks audit_integrations_valid_failure_count: corr" in run.err
        connection.execute(b"UPDATE public.audit_integrations SET failure_count = 0")
    assert ops(database, "apply").code == 0
    assert catalog(database) == catalog(migrated)


def test_a_row_without_a_value_that_the_new_table_wants_is_named(make: Callable[[str], Database]) -> None:
    database = make("023")
    kill_after(database, "58_copy_others")
    said = "of public.audit_anomalies breaks NOT NULL of model_version: correct or delete it by its id,"
    with database.connect() as connection:
        connection.execute(
            b"ALTER TABLE public.audit_anomalies ALTER COLUMN model_version DROP NOT NULL;"
            b" UPDATE public.audit_anomalies SET model_version = NULL"
        )
        # A run that begins now is refused for the column; one that had begun is told of the row.
        with pytest.raises(errors.CheckViolation, match=said):
            connection.execute(b"SELECT orka_new.copy_queue(9223372036854775807, 100)")
