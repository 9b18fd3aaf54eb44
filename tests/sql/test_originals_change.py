"""Tables made by hand that change between their recognition and the swap: told, and nothing left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.sql.kills import ADOPT, kill_after
from tests.sql.originals import make_original
from tests.sql.support import Database, Run, copy_sql, ops

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LOG = "public.roche_audit_logs"
FORCE = f"ALTER TABLE {LOG} FORCE ROW LEVEL SECURITY"
NO_FORCE = f"ALTER TABLE {LOG} NO FORCE ROW LEVEL SECURITY"
HOLD_LEGALLY = f"ALTER TABLE {LOG} ADD COLUMN legal_hold boolean"
# Each change, how it is told, and what takes it back.
CHANGES = (
    (HOLD_LEGALLY, f"unexpected: column {LOG}.legal_hold", f"ALTER TABLE {LOG} DROP COLUMN legal_hold"),
    (FORCE, f"different: row security of {LOG}", NO_FORCE),
    (
        f"ALTER TABLE {LOG} ADD CONSTRAINT more CHECK (true)",
        f"unexpected: constraint {LOG}.more",
        f"ALTER TABLE {LOG} DROP CONSTRAINT more",
    ),
    (
        f"CREATE VIEW public.recent AS SELECT id FROM {LOG}",
        f"view public.recent reads {LOG}",
        "DROP VIEW public.recent",
    ),
    (
        f"CREATE TABLE public.notes (event uuid CONSTRAINT of_event REFERENCES {LOG})",
        f"foreign key of_event of public.notes refers to {LOG}",
        "DROP TABLE public.notes",
    ),
    (f"CREATE PUBLICATION one FOR TABLE {LOG}", f"publication one holds {LOG}", "DROP PUBLICATION one"),
    (
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "publication everything holds all tables",
        "DROP PUBLICATION everything",
    ),
)
# Only once they are there.
TRIGGER_CHANGES = (
    (
        f"ALTER TABLE {LOG} DISABLE TRIGGER orka_note_change",
        f"missing: trigger {LOG}.orka_note_change [always]",
        f"ALTER TABLE {LOG} ENABLE ALWAYS TRIGGER orka_note_change",
    ),
)


def change(database: Database, *statements: str) -> None:
    with database.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def refused_until_taken_back(database: Database, changes: tuple[tuple[str, str, str], ...]) -> None:
    change(database, *(made for made, _, _ in changes))
    run = ops(database, "apply", "--lock-wait", "30")
    assert run.code == 11, run.err
    assert "no longer as they were recognised (the original 023 and 024): nothing was changed" in run.err
    assert [said for _, said, _ in changes if said not in run.err] == []
    last = run.err.splitlines()[-1]
    assert "take that change back" in last
    assert "`ops migrate rollback --to 022`" in last
    change(database, *(back for _, _, back in changes))
    run = ops(database, "apply")
    assert run.code == 0, run.err
    assert database.value(f"SELECT count(*) FROM {LOG}") == 300


def test_after_the_baseline_each_change_is_told_before_the_first_step(
    make: Callable[[str], Database],
) -> None:
    database = make("023+024")
    assert ops(database, "baseline").code == 0
    refused_until_taken_back(database, CHANGES)


def test_between_two_runs_each_change_is_told_and_what_the_adoption_did_itself_is_none(
    make: Callable[[str], Database],
) -> None:
    database = make("023+024")
    kill_after(database, "75_let_references_go")
    refused_until_taken_back(database, CHANGES + TRIGGER_CHANGES)


def test_a_publication_of_all_tables_stops_no_step_for_every_table_that_is_changed_has_a_key(
    make: Callable[[str], Database],
) -> None:
    database = make("023+024")
    kill_after(database, "75_let_references_go")
    assert (
        database.rows(
            "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind = 'r'"
            " AND c.relnamespace::regnamespace::text ~ '^orka_'"
            " AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)"
        )
        == []
    )


def test_an_index_or_a_policy_stops_nobody_for_none_is_carried_over(make: Callable[[str], Database]) -> None:
    database = make("023+024")
    assert ops(database, "baseline").code == 0
    change(database, f"CREATE INDEX more ON {LOG} (severity)", f"CREATE POLICY more ON {LOG} USING (true)")
    assert ops(database, "apply").code == 0


def changed_on_the_way(database: Database, folder: Path, step: str, before: str, statement: str) -> Run:
    """Apply with a step that makes the change itself, as somebody might at that moment."""
    sql = copy_sql(folder)
    file = sql / ADOPT / f"{step}.sql"
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, f"{statement};\n{before}", 1))
    return ops(database, "apply", "--adopt", "--sql-dir", str(sql))


def test_a_change_while_a_step_runs_is_told_before_the_next_one(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023+024")
    run = changed_on_the_way(database, tmp_path, "55_make_keys", "SET LOCAL ROLE orka_owner", HOLD_LEGALLY)
    assert run.code == 15
    assert "023 adopt/58_copy_others was not begun" in run.err
    assert CHANGES[0][1] in run.err


def test_a_change_that_the_swap_meets_under_its_locks_undoes_the_swap(
    make: Callable[[str], Database], tmp_path: Path
) -> None:
    database = make("023+024")
    first = "    -- Those first that nobody but autovacuum has in hand"
    run = changed_on_the_way(database, tmp_path, "80_swap", first, HOLD_LEGALLY)
    assert run.code == 15
    assert "023 adopt/80_swap was rolled back" in run.err
    assert CHANGES[0][1] in run.err
    assert database.value("SELECT to_regclass('orka_original.roche_audit_logs') IS NULL")
    assert ops(database, "apply").code == 0


def test_a_row_that_row_security_hides_is_an_error_and_not_left_out(
    make_supabase: Callable[[], Database], tmp_path: Path
) -> None:
    database = make_original(make_supabase(), "023+024")
    run = changed_on_the_way(database, tmp_path, "40_list_history", "SET LOCAL work_mem", FORCE)
    assert run.code == 15
    assert "affected by row-level security policy" in run.err
    assert "adopt/40_list_history" in run.err
    database.drop()
