"""Before the first change: every fault at once, each with its remedy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import psycopg
import pytest

from ops.migrate import preflight
from ops.migrate.preflight import Facts, faults, vector_faults
from tests.sql.further_migrations import with_steps
from tests.sql.support import Database, Server, ops
from tests.sql.transaction_pooler import transaction_pooler

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# How many sessions the pool has; what the one that answers was left with; who holds a lock.
_IN_THE_POOL = """
    SELECT (SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'orka-migrate'),
           current_setting('statement_timeout'), current_setting('lock_timeout'),
           current_setting('idle_in_transaction_session_timeout'),
           current_setting('client_connection_check_interval'), current_setting('orka.session', true),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')
"""
GOOD = Facts(
    major=16,
    in_recovery=False,
    read_only=False,
    encoding="UTF8",
    installed="0.8.1",
    available="0.8.1",
    may_create_vector=False,
    may_create_roles=True,
    may_create_schemas=True,
    may_open_public=True,
    may_become_owner=True,
    strong_groups=[],
)


def test_a_server_as_needed_has_no_faults() -> None:
    assert faults(GOOD, create_extension=False) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"major": 14}, "PostgreSQL 14 is too old"),
        ({"in_recovery": True}, "connect to the primary"),
        ({"read_only": True}, "RESET default_transaction_read_only"),
        ({"encoding": "LATIN1"}, "UTF8 is needed"),
        ({"may_create_roles": False}, "CREATEROLE"),
        ({"may_create_schemas": False}, "grant CREATE on the database"),
        ({"may_open_public": False}, "owner of the database"),
        ({"may_become_owner": False}, "WITH ADMIN OPTION"),
        ({"strong_groups": ["orka_app"]}, "orka_app"),
        ({"installed": "0.7.4"}, "0.7.4 is too old"),
    ],
)
def test_each_fault_is_one_line_with_its_remedy(change: dict[str, object], said: str) -> None:
    found = faults(dataclasses.replace(GOOD, **change), create_extension=False)
    assert len(found) == 1
    assert said in found[0]


def test_all_faults_are_told_at_once() -> None:
    bad = dataclasses.replace(
        GOOD, major=14, read_only=True, may_create_roles=False, installed=None, available=None
    )
    assert len(faults(bad, create_extension=True)) == 4


@pytest.mark.parametrize(
    ("installed", "available", "create", "may", "said"),
    [
        (None, None, True, True, "install pgvector"),
        (None, "0.7.0", True, True, "0.8 or newer is needed"),
        (None, "0.8.0", False, True, "--create-extension"),
        (None, "0.8.0", True, False, "by a superuser"),
    ],
)
def test_a_missing_extension_names_who_has_to_act(
    installed: str | None, available: str | None, create: bool, may: bool, said: str
) -> None:
    (found,) = vector_faults(installed, available, create_extension=create, may_create=may)
    assert said in found


def test_the_facts_are_read_off_a_real_server(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "MINIMUM_SERVER", 99)
    empty.server.execute(f"ALTER DATABASE {empty.name} SET default_transaction_read_only = on")
    with empty.connect() as connection:
        connection.execute(b"SET default_transaction_read_only = off")
        connection.execute(b"DROP EXTENSION vector")
    run = ops(empty, "apply", "--json")
    assert run.code == 11
    assert [line.split(":")[0].split(",")[0] for line in run.json["cause"]] == [
        f"PostgreSQL {empty.value('SHOW server_version').split('.')[0]} is too old",
        "default_transaction_read_only is on for this database or user",
        "the extension vector is not in this database",
    ]


def test_groups_that_may_log_in_are_refused(make_supabase: Callable[[], Database]) -> None:
    database = make_supabase()
    there = database.value("SELECT count(*) FROM pg_roles WHERE rolname = 'orka_app'")
    if not there:
        database.server.execute("CREATE ROLE orka_app")
    database.server.execute("ALTER ROLE orka_app LOGIN")
    try:
        run = ops(database, "apply")
    finally:
        # One made here is not the admin's own, whose memberships later tests of this server look at.
        database.server.execute("ALTER ROLE orka_app NOLOGIN" if there else "DROP ROLE orka_app")
        database.drop()
    assert run.code == 11
    assert "NOLOGIN groups without any attribute: orka_app" in run.err


def test_a_user_who_does_not_own_the_database_is_told_what_is_missing(server: Server) -> None:
    database = server.create()
    server.execute("CREATE ROLE weak LOGIN CREATEROLE")
    try:
        run = ops(server.url("weak", database.name), "apply")
    finally:
        database.drop()
        server.execute("DROP ROLE weak")
    assert run.code == 11
    assert "grant CREATE on the database" in run.err
    assert "owner of the database" in run.err


def test_an_old_transaction_is_named_and_refused_only_before_a_concurrent_step(
    big: Database, empty: Database, tmp_path: Path
) -> None:
    with big.connect() as old:
        old.execute(b"SET application_name = 'forgotten'")
        old.execute(b"BEGIN")
        old.execute(b"SELECT 1")
        named = f"pid {old.info.backend_pid}, forgotten, transaction open since 20"
        refused = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path)), "--long-transaction", "0")
    assert refused.code == 11
    assert named in refused.err
    with empty.connect() as old:
        old.execute(b"SET application_name = 'forgotten'")
        old.execute(b"BEGIN")
        old.execute(b"SELECT 1")
        warned = ops(empty, "apply", "--long-transaction", "0")
    assert warned.code == 0
    assert "forgotten, transaction open since 20" in warned.err


def test_the_sizes_of_what_is_there_are_told_with_the_steps_that_will_be_slow(
    big: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.migrate.expected_sizes._SLOW_ROWS", 0)
    run = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path)))
    assert "public.roche_audit_logs: about 0 rows" in run.err
    assert "slow by its rows: 20_fill, 30_index" in run.err


@pytest.mark.parametrize(
    "verb",
    ["apply", "baseline", "verify", "status", "catalog", "backup --dir {folder}", "rollback --to 022"],
)
def test_a_pooler_in_transaction_mode_is_recognised_by_what_it_does_and_nothing_stays_in_it(
    empty: Database, tmp_path: Path, verb: str
) -> None:
    with transaction_pooler(empty.server.socket, tmp_path / "pool") as folder:
        url = f"postgresql://{empty.server.admin}@/{empty.name}?host={folder}"
        run = ops(url, *verb.format(folder=tmp_path).split())
        with psycopg.connect(url, application_name="orka-migrate", autocommit=True) as another:
            found = [another.execute(_IN_THE_POOL.encode()).fetchone() for _ in range(4)]
    assert run.code == 11
    assert "pooler in transaction mode" in run.err
    assert "session mode" in run.err
    assert set(found) == {(2, "0", "0", "0", "0", None, 0)}
    assert empty.value("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'orka%'") == 0
