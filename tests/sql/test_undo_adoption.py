"""An adoption that stopped half way can be taken back: catalog and rows are what they were before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.migrate.statements import split
from tests.sql.kills import ADOPT, STEPS, kill_asleep
from tests.sql.originals import OLD_EVENT, make_original
from tests.sql.outcome import catalog, chain_problems
from tests.sql.rollbacks import backup
from tests.sql.support import SQL, TENANT_A, Database, copy_sql, log_event, ops
from tests.sql.undone_adoptions import LAST, assert_taken_back, state, stop_after, undo, word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sql.support import Run

UNDO = f"{ADOPT}/undo.sql"
# Nothing dropped or set aside yet; keys set aside; foreign keys dropped.
IN_EVERY_TEST = ("10_new_tables", "45_set_keys_aside", LAST)
USER_GOES = "DELETE FROM auth.users WHERE id = md5('user')::uuid"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Three of the steps in every run, all of them but the swap under `--soak`."""
    if "stopped_after" in metafunc.fixturenames:
        all_of_them = metafunc.config.getoption("--soak")
        metafunc.parametrize("stopped_after", STEPS[:-1] if all_of_them else IN_EVERY_TEST)


def test_catalog_and_rows_are_what_they_were_and_the_adoption_can_be_made_anew(
    make: Callable[[str], Database], migrated: Database, stopped_after: str
) -> None:
    database = make("023+024")
    with database.connect() as connection:
        connection.execute(
            b"COMMENT ON CONSTRAINT audit_access_log_user_id_fkey ON public.audit_access_log IS 'who'"
        )
    before = state(database)
    stop_after(database, stopped_after)
    assert state(database)[0] != before[0]
    run = undo(database, "--json")
    assert (run.code, run.json.get("rolled_back")) == (0, ["023"]), run.err
    assert state(database) == before
    status = ops(database, "status", "--json").json
    assert (status["steps"], [one["version"] for one in status["taken_back"]]) == ([], ["023"])
    kept = database.value("SELECT jsonb_array_length(steps) FROM orka_migrations.rolled_back")
    assert kept == STEPS.index(stopped_after) + 1
    assert "made by hand" in ops(database, "apply").err, "recognised no more"
    run = ops(database, "apply", "--adopt")
    assert run.code == 0, run.err
    assert catalog(database) == catalog(migrated)
    assert chain_problems(database) == []


def test_what_the_application_wrote_meanwhile_stays(make: Callable[[str], Database]) -> None:
    database = make("023+024")
    before, _ = state(database)
    stop_after(database, "60_copy_arrivals")
    with database.connect() as connection:
        connection.execute(OLD_EVENT)
        connection.execute(b"UPDATE public.audit_anomalies SET feedback_notes = 'seen'")
    _, rows = state(database)
    assert undo(database).code == 0
    assert state(database) == (before, rows)
    assert rows["public.roche_audit_logs"]["rows"] == 301


def test_without_the_word_it_says_what_would_go_and_changes_nothing(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    stop_after(database, "40_list_history")
    before = state(database)
    run = ops(database, "rollback", "--to", "022", "--confirm", "undo-023", "--lock-wait", "30")
    assert run.code == 11
    assert "adoption of 023 ai_empowered_audit_trail, which stopped in or after adopt/40_list" in run.err
    assert "the tables in use stay, with every row" in run.err
    assert state(database) == before
    assert ops(database, "rollback", "--to", "023", "--json").json["outcome"] == "nothing to do"


def test_the_word_for_one_adoption_is_none_for_the_next(make: Callable[[str], Database]) -> None:
    database = make("base")
    assert ops(database, "baseline").code == 0
    first = word(database)
    before = state(database)
    assert undo(database).code == 0
    assert state(database) == before, "recognised, and no more"
    assert ops(database, "baseline").code == 0
    assert word(database, "--confirm", first) != first


def test_a_foreign_key_that_no_longer_holds_comes_back_for_new_rows_and_is_named(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    before, rows = state(database)
    stop_after(database, LAST)
    with database.connect() as connection:
        connection.execute(USER_GOES.encode())
    run = undo(database)
    assert run.code == 0
    named = "foreign key audit_access_log_user_id_fkey of public.audit_access_log is back but NOT VALID"
    assert named in run.err
    after, rows_after = state(database)
    assert rows_after == rows
    changed = {name: after.get(name) for name in before if after.get(name) != before[name]}
    assert all(str(text).endswith("NOT VALID f") for text in changed.values())
    assert set(after) == set(before)
    assert len(changed) == run.err.count("is back but NOT VALID") > 0


def test_where_something_came_to_depend_on_the_copies_nothing_is_dropped(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    stop_after(database, "58_copy_others")
    with database.connect() as connection:
        connection.execute(b"CREATE VIEW public.of_someone_else AS SELECT id FROM orka_new.audit_anomalies")
    before = state(database)
    run = undo(database)
    assert (run.code, "2BP01" in run.err, "nothing was changed" in run.err) == (15, True, True)
    assert state(database) == before


def test_killed_in_the_middle_it_has_done_nothing_and_the_next_one_does_it(
    make: Callable[[str], Database], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With --soak after each of its statements, else after the last of them."""
    database = make("023+024")
    before = state(database)
    stop_after(database, LAST)
    stopped = state(database)
    arguments = ["rollback", "--to", "022", "--lock-wait", "30", "--confirm", word(database)]
    text = (SQL / UNDO).read_text()
    statements = split(text)
    for point in range(len(statements)) if request.config.getoption("--soak") else [len(statements) - 1]:
        folder = copy_sql(tmp_path / f"point{point}")
        end = 0
        for one in statements[: point + 1]:
            end = text.index(one.text, end) + len(one.text)
        (folder / UNDO).write_text(f"{text[:end]};\nSELECT pg_sleep(600){text[end:]}")
        kill_asleep(database, *arguments, "--sql-dir", str(folder))
        assert state(database) == stopped
    assert ops(database, *arguments).code == 0
    assert state(database) == before


def test_who_reads_is_waited_for_and_named(make: Callable[[str], Database]) -> None:
    database = make("023")
    stop_after(database, "30_note_changes")
    before = state(database)
    with database.connect() as reader, reader.transaction():
        reader.execute(b"LOCK TABLE public.roche_audit_logs IN ACCESS SHARE MODE")
        run = undo(database, "--lock-budget", "1")
        named = f"held by pid {reader.info.backend_pid}"
    assert (run.code, named in run.err, "nothing was changed" in run.err) == (10, True, True)
    assert state(database) == before


def test_an_admin_without_superuser_takes_back_what_it_began(
    make_supabase: Callable[[], Database],
) -> None:
    database = make_original(make_supabase(), "023+024")
    assert_taken_back(database)
    database.drop()


def taken_over(database: Database, tmp_path: Path) -> tuple[str, str]:
    """Adopt, write as the new application does, back up; the manifest, and the word of consent."""
    run = ops(database, "apply", "--adopt")
    assert run.code == 0, run.err
    with database.connect() as connection, connection.transaction():
        log_event(connection, TENANT_A)
    manifest = backup(database, tmp_path)
    return manifest, word(database, "--backup", manifest)


@pytest.mark.parametrize("variant", ["base", "023+024"])
def test_after_the_swap_the_originals_come_back_with_their_rights_and_what_came_since_is_in_the_backup(
    make: Callable[[str], Database], migrated: Database, tmp_path: Path, variant: str
) -> None:
    database = make(variant)
    with database.connect() as connection:
        connection.execute(
            b"GRANT SELECT ON public.roche_audit_logs TO orka_readonly WITH GRANT OPTION;"
            b" GRANT UPDATE (severity) ON public.roche_audit_logs TO orka_readonly"
        )
    before = state(database)
    manifest, confirm = taken_over(database, tmp_path)
    said = ops(database, "rollback", "--to", "022", "--backup", manifest).err
    assert "what was written or changed since is in the backup alone" in said
    run = ops(database, "rollback", "--to", "022", "--backup", manifest, "--confirm", confirm, "--json")
    assert (run.code, run.json.get("rolled_back")) == (0, ["023"]), run.err
    assert state(database) == before
    assert "made by hand" in ops(database, "apply").err, "recognised no more"
    assert ops(database, "apply", "--adopt").code == 0
    assert catalog(database) == catalog(migrated)


RIGHTS = """
    SELECT c.relname, g.rolname, a.privilege_type, a.is_grantable, b.rolname
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
    JOIN pg_roles AS g ON g.oid = a.grantee JOIN pg_roles AS b ON b.oid = a.grantor
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1, 2, 3, 5
"""


def back_again(database: Database, tmp_path: Path, *meanwhile: str) -> Run:
    """Adopt, let something happen, and take it back."""
    manifest, confirm = taken_over(database, tmp_path)
    for statement in meanwhile:
        database.server.execute(statement, database=database.name)
    run = ops(database, "rollback", "--to", "022", "--backup", manifest, "--confirm", confirm)
    assert run.code == 0, run.err
    return run


def granted_on(database: Database) -> str:
    """A login that hands a right on, and the one that it hands it to; their names begin alike."""
    name = f"hand_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {name}_a; CREATE ROLE {name}_b".encode())
        connection.execute(
            f"GRANT USAGE ON SCHEMA public TO {name}_a;"
            f" GRANT SELECT ON public.roche_audit_logs TO {name}_a WITH GRANT OPTION;"
            f" GRANT UPDATE (severity) ON public.roche_audit_logs TO {name}_b;"
            f" SET ROLE {name}_a; GRANT SELECT ON public.roche_audit_logs TO {name}_b; RESET ROLE".encode()
        )
    return name


def test_a_right_that_was_handed_on_is_taken_with_it_and_comes_back_from_who_gave_it(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023")
    name = granted_on(database)
    before, rights = state(database), database.rows(RIGHTS)
    assert ("roche_audit_logs", f"{name}_b", "SELECT", False, f"{name}_a") in rights
    run = back_again(database, tmp_path)
    assert (state(database), database.rows(RIGHTS)) == (before, rights)
    assert "warning" not in run.err.lower()


def test_a_right_whose_giver_may_not_give_it_any_more_comes_back_from_the_owner(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023")
    name = granted_on(database)
    run = back_again(database, tmp_path, f"REVOKE USAGE ON SCHEMA public FROM PUBLIC, {name}_a")
    assert f"SELECT on public.roche_audit_logs is back with {name}_b from the owner: {name}_a" in run.err
    assert ("roche_audit_logs", f"{name}_b", "SELECT", False, "postgres") in database.rows(RIGHTS)


def test_a_role_that_was_dropped_and_a_table_that_was_renamed_meanwhile_are_named_and_bar_no_way_back(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023")
    gone = f"gone_{database.name}"
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {gone}".encode())
        connection.execute(f"GRANT SELECT, INSERT ON public.roche_audit_logs TO {gone}".encode())
    run = back_again(
        database, tmp_path, f"DROP ROLE {gone}", "ALTER TABLE public.projects RENAME TO undertakings"
    )
    for right in ("SELECT", "INSERT"):
        assert (
            f"{right} on public.roche_audit_logs is not given back to {gone}, a role that is gone" in run.err
        )
    lost = "foreign key roche_audit_logs_project_id_fkey of public.roche_audit_logs is not back"
    assert f'{lost}, relation "public.projects" does not exist: correct the name in ALTER TABLE' in run.err
    assert "ADD CONSTRAINT roche_audit_logs_project_id_fkey FOREIGN KEY (project_id)" in run.err
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 300


def test_an_adoption_that_stopped_half_way_is_taken_back_though_what_it_referred_to_is_gone(
    make: Callable[[str], Database],
) -> None:
    database = make("023")
    stop_after(database, LAST)
    with database.connect() as connection:
        connection.execute(b"ALTER TABLE public.projects RENAME COLUMN id TO number")
    run = undo(database)
    assert run.code == 0, run.err
    assert "foreign key roche_audit_logs_project_id_fkey of public.roche_audit_logs is not back" in run.err
