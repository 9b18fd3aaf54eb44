"""A backup is proved before it counts, and nothing changes where it cannot be made."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ops.migrate import backup as backup_module
from ops.migrate import pg_tools
from ops.migrate.connection import connect
from ops.migrate.content import content
from ops.migrate.manifest import file_sha256
from ops.migrate.outcome import ExitCode, MigrateError
from tests.sql import two_runners
from tests.sql.further_migrations import with_024
from tests.sql.support import (
    TENANT_A,
    TENANT_B,
    Database,
    Run,
    Server,
    lock_held,
    log_event,
    ops,
    wait_for_runners,
)
from tests.sql.tls_front import tls_front

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ops.migrate.connection import Target
    from ops.migrate.pg_tools import Tools

PASSWORD = "canary-of-the-backup"


@pytest.fixture
def filled(migrated: Database) -> Database:
    """A migrated database with three events of two tenants and one anomaly."""
    with migrated.connect() as connection, connection.transaction():
        for tenant in (TENANT_A, TENANT_A, TENANT_B):
            event = log_event(connection, tenant)[0]
        connection.execute(
            "INSERT INTO public.audit_anomalies (audit_event_id, tenant_id, anomaly_score, features_used,"
            " model_version) VALUES (%s, %s, 0.7049, '{}', '1')",
            (event, TENANT_B),
        )
        connection.execute(
            "INSERT INTO public.audit_embeddings (audit_event_id, tenant_id, embedding, content_text)"
            " VALUES (%s, %s, array_fill(0.25::real, ARRAY[1536]), 'ünï')",
            (event, TENANT_B),
        )
    return migrated


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def latin_server(server: Server) -> Iterator[None]:
    """The server makes databases of another encoding than the one that is backed up."""
    server.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'",
        "ALTER DATABASE template0 RENAME TO kept",
        "ALTER DATABASE latin RENAME TO template0",
    )
    yield
    server.execute("DROP DATABASE template0", "ALTER DATABASE kept RENAME TO template0")


def take(database: Database, folder: Path) -> dict[str, Any]:
    run = ops(database, "backup", "--dir", str(folder), "--json")
    assert (run.code, run.json["outcome"]) == (0, "proved"), run.err
    return {"path": Path(run.json["manifest"]), **json.loads(Path(run.json["manifest"]).read_text())}


def scratch_databases(server: Server) -> int:
    count: int = server.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'orka_backup%'")
    return count


def test_the_manifest_says_what_is_in_the_dump_and_of_which_state(filled: Database, tmp_path: Path) -> None:
    taken = take(filled, tmp_path)
    dump = taken["path"].with_name(taken["dump"]["name"])
    assert file_sha256(dump) == taken["dump"]["sha256"]
    assert dump.stat().st_size == taken["dump"]["bytes"]
    rows = {table: one["rows"] for table, one in taken["tables"].items()}
    assert rows["public.roche_audit_logs"] == 3
    assert rows["orka_audit.chain_heads"] == 2
    assert rows["orka_migrations.ledger"] == 1
    assert len([table for table in rows if table.startswith("public.")]) == 9
    assert [entry["version"] for entry in taken["ledger"]] == ["023"]
    assert taken["ledger"][0]["sha256"] == ops(None, "plan", "--json").json["migrations"][0]["sha256"]
    assert "restored into a scratch database" in taken["proved"]
    assert scratch_databases(filled.server) == 0


def test_the_dump_alone_gives_the_rows_back(filled: Database, tmp_path: Path) -> None:
    taken = take(filled, tmp_path)
    other = filled.server.create()
    filled.server.execute("CREATE SCHEMA orka_audit", "CREATE SCHEMA orka_migrations", database=other.name)
    dump = taken["path"].with_name(taken["dump"]["name"])
    tools = pg_tools.find_tools(18)
    command = [
        str(tools.folder / "pg_restore"),
        "--section=pre-data",
        "--section=data",
        "--no-owner",
        "--no-acl",
    ]
    # A newer pg_restore complains of an older server, and goes on: what counts is what is there afterwards.
    subprocess.run([*command, "-d", other.admin_url, str(dump)], capture_output=True, check=False)
    with other.connect() as connection, connection.transaction():
        assert content(connection, taken["tables"]) == taken["tables"]
    other.drop()


def test_one_changed_value_changes_the_checksum_and_the_order_of_rows_does_not(filled: Database) -> None:
    log = ["public.audit_anomalies"]
    with filled.connect() as connection, connection.transaction(force_rollback=True):
        before = content(connection, log)
        connection.execute(b"UPDATE public.audit_anomalies SET anomaly_score = anomaly_score")
        assert content(connection, log) == before, "another place, the same row"
        connection.execute(b"UPDATE public.audit_anomalies SET anomaly_score = 0.7048")
        after = content(connection, log)
    assert after[log[0]]["rows"] == before[log[0]]["rows"]
    assert after != before


def test_a_dump_that_lost_a_row_on_the_way_is_no_backup(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pg_tools.run

    def lossy(tools: Tools, program: str, arguments: list[str], target: Target) -> None:
        real(tools, program, arguments, target)
        if program == "pg_restore":
            scratch = next(one for one in arguments if one.startswith("--dbname=dbname=")).split("=")[-1]
            url = filled.server.url("postgres", scratch)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(b"UPDATE public.audit_anomalies SET anomaly_score = 0.7")

    monkeypatch.setattr(pg_tools, "run", lossy)
    run = ops(filled, "backup", "--dir", str(tmp_path))
    assert (run.code, "differs in public.audit_anomalies" in run.err) == (11, True)
    assert list(tmp_path.iterdir()) == []
    assert scratch_databases(filled.server) == 0


def test_rows_written_during_the_dump_are_in_neither_dump_nor_checksums(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pg_tools.run

    def busy(tools: Tools, program: str, arguments: list[str], target: Target) -> None:
        if program == "pg_dump":
            with filled.connect() as connection, connection.transaction():
                log_event(connection, TENANT_A)
        real(tools, program, arguments, target)

    monkeypatch.setattr(pg_tools, "run", busy)
    assert take(filled, tmp_path)["tables"]["public.roche_audit_logs"]["rows"] == 3
    assert filled.value("SELECT count(*) FROM public.roche_audit_logs") == 4


def test_apply_takes_a_backup_only_where_something_is_pending(empty: Database, tmp_path: Path) -> None:
    first = ops(empty, "apply", "--json", "--backup-dir", str(tmp_path))
    assert (first.code, first.json["applied"]) == (0, ["023"])
    (taken,) = (json.loads(path.read_text()) for path in tmp_path.glob("*/manifest.json"))
    assert (taken["tables"], taken["dump"], taken["ledger"]) == ({}, None, [])
    assert ops(empty, "apply", "--json", "--backup-dir", str(tmp_path)).json["outcome"] == "nothing to do"
    assert len(list(tmp_path.iterdir())) == 1


def test_the_rows_of_before_a_migration_are_in_the_backup_that_apply_takes(
    filled: Database, tmp_path: Path
) -> None:
    folder, target = with_024(tmp_path), tmp_path / "target"
    missing = ops(filled, "apply", "--sql-dir", str(folder), "--backup-dir", str(target))
    assert missing.code == 11
    assert ops(filled, "status", "--json").json["later"] == [], "without a backup nothing was applied"
    target.mkdir()
    run = ops(filled, "apply", "--json", "--sql-dir", str(folder), "--backup-dir", str(target))
    assert (run.code, run.json["applied"]) == (0, ["024"]), run.err
    (taken,) = (json.loads(path.read_text()) for path in target.glob("*/manifest.json"))
    assert taken["tables"]["public.roche_audit_logs"]["rows"] == 3
    assert [entry["version"] for entry in taken["ledger"]] == ["023"]


def test_of_two_runners_only_the_one_that_holds_the_lock_dumps(filled: Database, tmp_path: Path) -> None:
    folder, target = with_024(tmp_path), tmp_path / "target"
    target.mkdir()
    with lock_held(filled) as holder:
        runners = two_runners.start(filled, folder, "--backup-dir", str(target))
        wait_for_runners(filled, 2)
        assert list(target.iterdir()) == [], "neither dumps while it waits"
        holder.close()
        assert two_runners.results(runners, "024", 60) == [False, True]
    assert len(list(target.iterdir())) == 1


def test_a_backup_by_hand_waits_for_the_runner(filled: Database, tmp_path: Path) -> None:
    with lock_held(filled) as holder:
        run = ops(filled, "backup", "--dir", str(tmp_path), "--lock-wait", "0")
        assert (run.code, f"pid {holder.info.backend_pid}, " in run.err) == (10, True)
    assert list(tmp_path.iterdir()) == []


def test_the_extension_is_not_made_before_the_backup(server: Server, tmp_path: Path) -> None:
    database = server.create(vector=False)
    refused(database, tmp_path / "nowhere", "--create-extension")
    assert database.value("SELECT count(*) FROM pg_extension WHERE extname = 'vector'") == 0
    assert ops(database, "apply", "--backup-dir", str(tmp_path), "--create-extension").code == 0
    database.drop()


def refused(database: Database, folder: Path, *more: str) -> Run:
    """A pending apply whose backup cannot be made: nothing is changed."""
    run = ops(database, "apply", "--backup-dir", str(folder), *more)
    assert run.code == 11
    assert database.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orka%'") == 0
    return run


def test_a_missing_target_stops_before_the_first_change(empty: Database, tmp_path: Path) -> None:
    run = refused(empty, tmp_path / "nowhere")
    assert "cannot be written to" in run.err
    assert "No such file or directory" in run.err


def test_a_full_target_stops_before_the_first_change(empty: Database, small_disk: Path) -> None:
    assert "MiB free, the backup may need" in refused(empty, small_disk).err


def test_a_target_that_fills_up_leaves_no_half_of_a_backup(
    filled: Database, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "_SPARE_BYTES", -(1 << 30))
    with (small_disk / "filler").open("wb") as file:
        file.write(b"x" * ((1 << 20) - 12_288))
    run = ops(filled, "backup", "--dir", str(small_disk))
    assert (run.code, "No space left on device" in run.err) == (11, True), run.err
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_a_restore_that_fails_is_refused_with_its_words(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_module, "prepare", lambda *_: None)
    run = ops(filled, "backup", "--dir", str(tmp_path))
    assert (run.code, "pg_restore failed" in run.err) == (11, True)
    assert (list(tmp_path.iterdir()), scratch_databases(filled.server)) == ([], 0)


def killed_at_the_restore(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup's own session is ended while the dump is restored, which fails."""
    real = pg_tools.run

    def dying(tools: Tools, program: str, arguments: list[str], target: Target) -> None:
        real(tools, program, arguments, target)
        if program == "pg_restore":
            filled.server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                f" WHERE application_name = 'orka-migrate' AND datname = '{filled.name}'"
            )
            raise MigrateError(ExitCode.REFUSED, "pg_restore failed")

    monkeypatch.setattr(pg_tools, "run", dying)


def test_the_scratch_database_goes_though_the_session_that_made_it_is_gone(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at_the_restore(filled, monkeypatch)
    run = ops(filled, "backup", "--dir", str(tmp_path))
    assert (run.code, run.err.splitlines()[-1]) == (11, "ops migrate: pg_restore failed")
    assert scratch_databases(filled.server) == 0


def test_a_scratch_database_that_stays_is_named_and_goes_with_the_next_backup(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(target: Target, wait_seconds: float) -> psycopg.Connection[Any]:
        if f"dbname={filled.name}" in target.conninfo:
            raise MigrateError(ExitCode.REFUSED, "cannot connect to the database")
        return connect(target, wait_seconds)

    others = "orka_backup_1_of_another_database"
    filled.server.execute(f"CREATE DATABASE {others}")
    with monkeypatch.context() as broken:
        killed_at_the_restore(filled, broken)
        broken.setattr(backup_module, "connect", unreachable)
        run = ops(filled, "backup", "--dir", str(tmp_path))
    left = filled.server.value(
        f"SELECT datname FROM pg_database WHERE datname ~ '^orka_backup' AND datname <> '{others}'"
    )
    assert run.code == 11
    assert run.err.splitlines()[-3:] == [
        "ops migrate: pg_restore failed",
        f"  the scratch database {left} could not be dropped: cannot connect to the database",
        f"  DROP DATABASE {left}, or leave it to the next backup of this database",
    ]
    with psycopg.connect(filled.server.url("postgres", left)):
        used = ops(filled, "backup", "--dir", str(tmp_path))
    assert f"warning: the database {left}, left by an earlier backup, could not be dropped" in used.err
    assert scratch_databases(filled.server) == 2
    take(filled, tmp_path)
    assert scratch_databases(filled.server) == 1, "that of another database may be at work"
    filled.server.execute(f"DROP DATABASE {others}")


def test_limits_of_the_database_or_the_role_do_not_cut_a_backup(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
    seen: list[tuple[Any, ...] | None] = []

    def watched(connection: psycopg.Connection[Any], tables: list[str]) -> dict[str, dict[str, int | str]]:
        found = ", ".join(f"current_setting('{name}')" for name in names)
        seen.append(connection.execute(f"SELECT {found}".encode()).fetchone())
        return content(connection, tables)

    monkeypatch.setattr(backup_module, "content", watched)
    filled.server.execute(f"ALTER DATABASE {filled.name} SET idle_session_timeout = '150ms'")
    limits = ("statement_timeout = '20s'", "idle_session_timeout = '20s'")
    filled.server.execute(*(f"ALTER ROLE postgres SET {limit}" for limit in limits))
    try:
        take(filled, tmp_path)
    finally:
        filled.server.execute(*(f"ALTER ROLE postgres RESET {limit.split()[0]}" for limit in limits))
    assert seen == [("0", "0", "0")] * 2


def test_an_older_pg_dump_is_refused_with_both_versions(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("pg_dump", "pg_restore"):
        (tmp_path / program).write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18'\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setattr(pg_tools, "_package_folder", lambda _: None)
    major = filled.value("SELECT current_setting('server_version_num')::integer / 10000")
    run = ops(filled, "backup", "--dir", str(tmp_path), PATH=str(tmp_path))
    assert run.code == 11
    assert f"no pg_dump for a server of version {major}" in run.err
    assert "pg_dump is of version 15" in run.err


def test_an_admin_that_row_security_binds_is_refused_with_what_it_needs(
    migrated_supabase: Database, tmp_path: Path
) -> None:
    run = ops(migrated_supabase, "backup", "--dir", str(tmp_path))
    assert (run.code, "BYPASSRLS" in run.err) == (11, True)


def test_an_admin_without_superuser_backs_up_and_inherits_nothing_afterwards(
    migrated_supabase: Database,
    supabase: Server,
    platform_makes_vector: Callable[[Server], None],
    tmp_path: Path,
) -> None:
    platform_makes_vector(supabase)
    supabase.execute("ALTER ROLE admin BYPASSRLS")
    with migrated_supabase.connect() as connection, connection.transaction():
        log_event(connection, TENANT_A)
    try:
        taken = take(migrated_supabase, tmp_path)
    finally:
        supabase.execute("ALTER ROLE admin NOBYPASSRLS")
    assert taken["tables"]["public.roche_audit_logs"]["rows"] == 1
    inherits = "SELECT bool_or(inherit_option) FROM pg_auth_members WHERE roleid = 'orka_owner'::regrole"
    assert migrated_supabase.value(inherits) is False


def test_where_the_extension_may_not_be_made_the_backup_is_refused(
    migrated_supabase: Database, supabase: Server, tmp_path: Path
) -> None:
    supabase.execute("ALTER ROLE admin BYPASSRLS")
    try:
        run = ops(migrated_supabase, "backup", "--dir", str(tmp_path))
    finally:
        supabase.execute("ALTER ROLE admin NOBYPASSRLS")
    assert run.code == 11
    assert "may not make the extension vector in a scratch database" in run.err
    assert "permission denied to create extension" in run.err
    assert (list(tmp_path.iterdir()), scratch_databases(supabase)) == ([], 0)


@pytest.mark.usefixtures("latin_server")
def test_text_that_the_servers_own_encoding_lacks_is_restored_in_the_databases(
    filled: Database, tmp_path: Path
) -> None:
    with filled.connect() as connection:
        log_event(connection, TENANT_A, "審計")
    assert take(filled, tmp_path)["tables"]["public.roche_audit_logs"]["rows"] == 4


def test_the_password_is_in_no_argument_no_file_and_no_output(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = subprocess.run

    def watch(command: list[str], **options: Any) -> Any:
        seen.extend(command)
        if service := (options.get("env") or {}).get("PGSERVICEFILE"):
            seen.append(Path(service).read_text())
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", watch)
    url = filled.admin_url.replace("postgres@", f"postgres:{PASSWORD}@")
    good = ops(url, "backup", "--dir", str(tmp_path))
    bad = ops(url, "backup", "--dir", str(tmp_path / "nowhere"))
    assert (good.code, bad.code) == (0, 11)
    assert any("pg_dump" in argument for argument in seen)
    assert PASSWORD not in "".join([*seen, good.out, good.err, bad.out, bad.err])
    assert PASSWORD not in next(tmp_path.glob("*/manifest.json")).read_text()


def test_dump_and_restore_get_what_the_environment_says_and_the_guards_against_a_silent_network(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    real = subprocess.run

    def watch(command: list[str], **options: Any) -> Any:
        if environ := options.get("env"):
            seen.append({**environ, "service": Path(environ["PGSERVICEFILE"]).read_text()})
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", watch)
    variables = {"PGHOST": str(filled.server.socket), "PGUSER": "postgres", "PGPASSWORD": PASSWORD}
    run = ops(f"postgresql:///{filled.name}", "backup", "--dir", str(tmp_path), **variables)
    assert run.code == 0, run.err
    assert [one["PGPASSWORD"] for one in seen] == [PASSWORD] * 2
    for one in seen:
        assert {"keepalives_idle=30", "tcp_user_timeout=60000"} <= set(one["service"].splitlines())
        assert PASSWORD not in one["service"] + run.out + run.err


def test_the_programs_without_tls_of_their_own_speak_it(filled: Database, tmp_path: Path) -> None:
    with tls_front(filled.server.socket, tmp_path) as port:
        url = f"postgresql://postgres@127.0.0.1:{port}/{filled.name}?sslmode=require"
        run = ops(url, "backup", "--dir", str(tmp_path))
    assert run.code == 0, run.err
