"""Rollback drops nothing that is not proved to be elsewhere, and leaves no trace in the catalog."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ops.migrate.fingerprint import describe
from ops.migrate.statements import split
from tests.sql.kills import kill_asleep, wait_asleep
from tests.sql.mutations import MUTATIONS
from tests.sql.originals import make_original
from tests.sql.rollbacks import backup, catalog, fill, rollback, word
from tests.sql.support import GUIDE_TABLES, SQL, TENANT_A, Database, Server, copy_sql, ops

if TYPE_CHECKING:
    from collections.abc import Callable

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
DOWN = "023_ai_empowered_audit_trail/down.sql"


def untouched(database: Database) -> None:
    assert database.value(TABLES) == len(GUIDE_TABLES)
    assert database.value("SELECT count(*) FROM orka_migrations.ledger") == 1
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 3


@pytest.fixture
def applied(empty: Database) -> tuple[Database, dict[str, str]]:
    """A filled database, and its catalog as it was before 023."""
    before = catalog(empty)
    assert ops(empty, "apply").code == 0
    fill(empty)
    return empty, before


def test_after_a_rollback_the_catalog_is_what_it_was_before_the_apply(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, before = applied
    assert catalog(database) != before
    run = rollback(database, backup(database, tmp_path), "--json")
    assert (run.code, run.json["outcome"], run.json["rolled_back"]) == (0, "rolled back", ["023"]), run.err
    assert catalog(database) == before


def test_the_history_stays_and_apply_and_rollback_work_again(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, before = applied
    for number in (1, 2):
        assert rollback(database, backup(database, tmp_path)).code == 0
        status = ops(database, "status", "--json").json
        assert (status["ledger"], status["pending"]) == ([], ["023"])
        assert [one["version"] for one in status["taken_back"]] == ["023"] * number
        assert all(one["rolled_back_at"] for one in status["taken_back"])
        assert ops(database, "apply").code == 0
        assert ops(database, "verify").code == 0
    kept = database.rows("SELECT entry ->> 'sha256', backup_sha256 FROM orka_migrations.rolled_back")
    planned = ops(None, "plan", "--json").json["migrations"][0]["sha256"]
    taken = {json.loads(path.read_text())["dump"]["sha256"] for path in tmp_path.glob("*/manifest.json")}
    assert {row[0] for row in kept} == {planned}
    assert {row[1] for row in kept} == taken
    assert before != catalog(database)


def test_without_consent_it_says_what_would_go_and_the_word(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, _ = applied
    manifest = backup(database, tmp_path)
    for given in ((), ("--confirm", "drop-023")):
        run = ops(database, "rollback", "--to", "022", "--backup", manifest, *given)
        assert run.code == 11
        assert "public.roche_audit_logs: 3 rows" in run.err
        digest = json.loads(Path(manifest).read_text())["dump"]["sha256"]
        assert f"--confirm drop-023-{digest[:8]}" in run.err
        untouched(database)


CHANGES: dict[str, str] = {
    "a newer row": "INSERT INTO public.audit_access_log (user_id, access_type, tenant_id)"
    f" VALUES ('{TENANT_A}', 'read', '{TENANT_A}')",
    "a changed row": "UPDATE orka_audit.chain_heads SET hash = repeat('0', 64)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_rows_that_are_not_in_the_backup_are_not_dropped(
    applied: tuple[Database, dict[str, str]], tmp_path: Path, change: str
) -> None:
    database, _ = applied
    manifest = backup(database, tmp_path)
    with database.connect() as connection:
        connection.execute(change.encode())
    run = rollback(database, manifest)
    assert (run.code, "does not hold exactly the rows" in run.err) == (11, True)
    untouched(database)


def _missing(manifest: Path) -> None:
    manifest.unlink()


def _no_dump(manifest: Path) -> None:
    manifest.with_name("audit.dump").unlink()


def _other_dump(manifest: Path) -> None:
    with manifest.with_name("audit.dump").open("ab") as file:
        file.write(b"x")


def _edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(manifest: Path) -> None:
        document = json.loads(manifest.read_text())
        change(document)
        manifest.write_text(json.dumps(document))

    return edit


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_missing, "cannot be read"),
        (_no_dump, "audit.dump: No such file"),
        (_other_dump, "its checksum differs"),
        (_edited(lambda d: d.pop("tables")), "is not the manifest of a backup"),
        (_edited(lambda d: d.update(dump=None)), "of before there was a table"),
        (_edited(lambda d: d.update(database="another")), "is of the database another"),
        (_edited(lambda d: d["ledger"][0].update(applied_at="2020")), "another state of the ledger"),
        (_edited(lambda d: d["tables"].pop("public.audit_anomalies")), "has 0 rows, the backup none"),
    ],
)
def test_what_is_not_a_proven_backup_of_this_state_is_refused(
    applied: tuple[Database, dict[str, str]], tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    database, _ = applied
    manifest = backup(database, tmp_path)
    consent = word(database, manifest)
    spoil(Path(manifest))
    run = ops(database, "rollback", "--to", "022", "--backup", manifest, "--confirm", consent)
    assert (run.code, said in run.err) == (11, True), run.err
    untouched(database)


def test_a_newer_schema_is_left_to_the_newer_program(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, _ = applied
    with database.connect() as connection:
        connection.execute(
            b"INSERT INTO orka_migrations.ledger (version, name, sha256, duration_ms, statements, applied_by)"
            b" VALUES ('024', 'later', repeat('a', 64), 1, 1, 'a newer program')"
        )
    run = ops(database, "rollback", "--to", "022", "--backup", backup(database, tmp_path))
    assert (run.code, "024 was applied by a newer program" in run.err) == (11, True)


def test_a_down_that_fails_changes_nothing(applied: tuple[Database, dict[str, str]], tmp_path: Path) -> None:
    database, _ = applied
    with database.connect() as connection:
        connection.execute(b"CREATE VIEW public.of_someone_else AS SELECT id FROM public.audit_anomalies")
    before = catalog(database)
    run = rollback(database, backup(database, tmp_path))
    assert (run.code, "2BP01" in run.err, "nothing was changed" in run.err) == (15, True, True)
    assert catalog(database) == before
    with database.connect() as connection:
        connection.execute(b"DROP VIEW public.of_someone_else")
    untouched(database)


def test_a_rollback_killed_in_the_middle_has_done_nothing_and_the_next_one_does_it(
    applied: tuple[Database, dict[str, str]], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With --soak after each of its statements, else after the one that dropped the schema."""
    database, before = applied
    manifest = backup(database, tmp_path)
    consent = word(database, manifest)
    statements = [one.text for one in split((SQL / DOWN).read_text())]
    dropped = next(number for number, text in enumerate(statements) if text.startswith("DROP SCHEMA"))
    arguments = ["rollback", "--to", "022", "--backup", manifest, "--confirm", consent]
    points = range(len(statements)) if request.config.getoption("--soak") else [dropped]
    for point in points:
        folder = copy_sql(tmp_path / f"point{point}")
        slow = [*statements[: point + 1], "SELECT pg_sleep(600)", *statements[point + 1 :]]
        (folder / DOWN).write_text(";\n".join(slow) + ";\n")
        kill_asleep(database, *arguments, "--sql-dir", str(folder))
        untouched(database)
    assert ops(database, *arguments).code == 0
    assert catalog(database) == before


def test_a_table_in_use_is_waited_for_then_who_uses_it_is_named_and_nothing_is_changed(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    database, _ = applied
    manifest = backup(database, tmp_path)
    with database.connect() as reader, reader.transaction():
        reader.execute(b"SELECT 1 FROM public.audit_anomalies")
        run = rollback(database, manifest, "--lock-budget", "1", "--json")
        named = f"held by pid {reader.info.backend_pid}, client backend, SELECT, since 20"
    assert run.code == 10
    assert run.json["cause"][0].startswith("rollback: no lock within 1 s, ")
    assert named in run.json["cause"][0]
    assert "nothing was changed" in run.json["cause"][0]
    untouched(database)
    assert rollback(database, manifest).code == 0


def test_a_deadlock_is_tried_again_as_a_lock_that_is_not_had(
    applied: tuple[Database, dict[str, str]], tmp_path: Path
) -> None:
    """Both hold a table that the other one wants; the rollback is the one that looks for deadlocks."""
    database, before = applied
    manifest = backup(database, tmp_path)
    confirm = word(database, manifest)
    arguments = ["rollback", "--to", "022", "--backup", manifest, "--confirm", confirm]
    url = f"{database.admin_url}&options=-c%20deadlock_timeout%3D100ms"
    # In the order in which the rollback locks them.
    first, second, last = "public.audit_access_log", "public.audit_anomalies", "public.roche_audit_logs"
    lock = "LOCK TABLE {} IN ACCESS SHARE MODE"
    with database.connect() as third, database.connect() as other, ThreadPoolExecutor() as pool:
        other.execute(b"SET deadlock_timeout = '60s'; SET application_name = 'orka-other'")
        for session, table in ((third, second), (other, last)):
            session.execute(b"BEGIN")
            session.execute(lock.format(table).encode())
        taking = pool.submit(ops, url, *arguments, "--lock-timeout", "30", "--json")
        wait_asleep(database, event="relation")
        waiting = pool.submit(other.execute, lock.format(first).encode())
        wait_asleep(database, 2, event="relation")
        third.execute(b"COMMIT")
        waiting.result(timeout=20)
        other.execute(b"COMMIT")
        run = taking.result(timeout=60)
    assert run.code == 0, run.err
    assert catalog(database) == before


@pytest.mark.parametrize("adopted", [False, True])
def test_an_admin_without_superuser_takes_back_what_it_applied(
    make_supabase: Callable[[], Database],
    supabase: Server,
    platform_makes_vector: Callable[[Server], None],
    tmp_path: Path,
    *,
    adopted: bool,
) -> None:
    platform_makes_vector(supabase)
    database = make_supabase()
    if adopted:
        make_original(database, "023+024")
    before = catalog(database)
    supabase.execute("ALTER ROLE admin BYPASSRLS")
    try:
        assert ops(database, "apply", "--adopt").code == 0
        fill(database)
        run = rollback(database, backup(database, tmp_path))
    finally:
        supabase.execute("ALTER ROLE admin NOBYPASSRLS")
    assert run.code == 0, run.err
    assert catalog(database) == before
    database.drop()


def test_nothing_after_the_version_means_nothing_to_do(migrated: Database) -> None:
    arguments = ("rollback", "--to", "023", "--backup", "nowhere")
    run = ops(migrated, *arguments, "--json")
    assert (run.code, run.json["outcome"], run.json["stays"]) == (0, "nothing to do", "023")
    assert "stays applied: 023" in ops(migrated, *arguments).out


@pytest.mark.parametrize(
    ("to", "said"),
    [("22", "no version"), ("v022", "no version"), ("999", "newer than what is here: give 023")],
)
def test_what_is_no_version_or_still_to_come_is_refused(migrated: Database, to: str, said: str) -> None:
    run = ops(migrated, "rollback", "--to", to)
    assert (run.code, said in run.err) == (11, True), run.err


def test_where_nothing_is_applied_there_is_nothing_to_do_and_it_says_so(empty: Database) -> None:
    run = ops(empty, "rollback", "--to", "022")
    assert (run.code, "stays applied: nothing" in run.out) == (0, True), run.err
    assert ops(empty, "rollback", "--to", "023").code == 11


def test_every_mutation_of_the_catalog_changes_the_fingerprint(migrated: Database) -> None:
    """What is of a role and not of a database is left out on purpose."""
    same = []
    with migrated.connect() as connection:
        connection.execute(b"SET allow_system_table_mods = on")
        connection.execute(b"SET search_path = ''")
        for kind, query in MUTATIONS.items():
            if kind == "group that logs in or bypasses":
                continue
            with connection.transaction():
                before = describe(connection)
            for name, statement in connection.execute(query.encode()).fetchall()[:5]:
                with connection.transaction(force_rollback=True):
                    connection.execute(statement.encode())
                    if describe(connection) == before:
                        same.append(f"{kind}: {name}")
    assert same == []


@pytest.mark.parametrize(
    "statement",
    [
        "COMMENT ON TABLE public.audit_anomalies IS 'another'",
        "COMMENT ON COLUMN public.audit_anomalies.severity IS 'another'",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO orka_app",
        "ALTER TABLE public.audit_anomalies ALTER COLUMN severity SET DEFAULT 'high'",
        "GRANT USAGE ON SCHEMA orka_audit TO PUBLIC",
        "CREATE TYPE public.mood AS ENUM ('a')",
        "CREATE VIEW public.seen AS SELECT 1 AS one",
    ],
)
def test_what_the_contract_does_not_speak_of_changes_the_fingerprint_too(
    migrated: Database, statement: str
) -> None:
    before = catalog(migrated)
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(statement.encode())
        assert describe(connection) != before
