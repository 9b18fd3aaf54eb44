"""A session in the way: it is named, the runner comes again, and nobody else waits behind the runner."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ops.migrate.blockers import first_words, watched
from ops.migrate.make_way import make_way
from tests.sql.further_migrations import STATE, with_steps
from tests.sql.support import Database, ops, wait_for_runners

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "seen-by-nobody"


@pytest.fixture
def blocker(big: Database) -> Iterator[psycopg.Connection[Any]]:
    """A session with a transaction open that has read the table, and a literal in its query."""
    with big.connect() as connection:
        connection.execute(b"SET application_name = 'report-writer'")
        connection.execute(b"BEGIN")
        connection.execute(f"SELECT n, '{SECRET}' FROM public.audit_big LIMIT 1".encode())
        yield connection


def test_the_blocker_is_named_without_its_literals_and_the_wait_has_an_end(
    big: Database, blocker: psycopg.Connection[Any], tmp_path: Path
) -> None:
    cause = tmp_path / "cause"
    run = ops(
        big,
        "apply",
        "--sql-dir",
        str(with_steps(tmp_path)),
        "--lock-budget",
        "0.5",
        "--json",
        TERMINATION_LOG=str(cause),
    )
    assert run.code == 10
    named = f"pid {blocker.info.backend_pid}, report-writer, SELECT n, since 20"
    assert named in run.json["cause"][0]
    assert named in cause.read_text()
    waiting = [line for line in _told(run.err) if line["event"] == "waiting"]
    assert any(named in line["text"] for line in waiting)
    assert SECRET not in run.out + run.err + cause.read_text()
    assert big.value("SELECT count(*) FROM orka_migrations.steps WHERE version = '024'") == 0


def test_the_runner_comes_again_until_the_blocker_is_gone_and_readers_are_served_meanwhile(
    big: Database, blocker: psycopg.Connection[Any], tmp_path: Path
) -> None:
    folder = str(with_steps(tmp_path))
    runs: list[Any] = []
    runner = threading.Thread(
        target=lambda: runs.append(ops(big, "apply", "--sql-dir", folder, "--lock-timeout", "0.05"))
    )
    runner.start()
    wait_for_runners(big, 1, "ALTER TABLE public.audit_big ADD COLUMN%")
    reads = 0
    with big.connect() as reader:
        # Each read would end here if it queued behind the waiting ALTER for longer than an attempt.
        reader.execute(b"SET statement_timeout = '2s'")
        for _ in range(50):
            reader.execute(b"SELECT count(*) FROM public.audit_big")
            reads += 1
            time.sleep(0.01)
        assert runner.is_alive(), "it still waits"
    blocker.execute(b"COMMIT")
    runner.join(timeout=60)
    assert (reads, [run.code for run in runs]) == (50, [0])
    assert big.rows(STATE) == [(2500, True, True)]


def test_a_concurrent_build_names_what_it_waits_for(big: Database, tmp_path: Path) -> None:
    folder = str(with_steps(tmp_path))
    runs: list[Any] = []
    with big.connect() as old:
        old.execute(b"SET application_name = 'old-reader'")
        old.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ")
        old.execute(b"SELECT 1")
        runner = threading.Thread(
            target=lambda: runs.append(ops(big, "apply", "--sql-dir", folder, "--json"))
        )
        runner.start()
        wait_for_runners(big, 1, "CREATE INDEX CONCURRENTLY%")
        # The watcher looks four times a second.
        time.sleep(1)
        old.execute(b"ROLLBACK")
        runner.join(timeout=60)
    assert runs[0].code == 0
    waiting = [line["text"] for line in _told(runs[0].err) if line["event"] == "waiting"]
    assert any("024 30_index: waits for" in text and "old-reader" in text for text in waiting)


@contextlib.contextmanager
def slow_autovacuum(database: Database) -> Iterator[int]:
    """The pid of an autovacuum worker that will be at the table audit_big for minutes."""
    with database.connect() as connection:
        connection.execute(
            b"ALTER TABLE public.audit_big SET (autovacuum_vacuum_threshold = 1,"
            b" autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100,"
            b" autovacuum_vacuum_cost_limit = 1)"
        )
        connection.execute(b"INSERT INTO public.audit_big SELECT generate_series(10001, 150000)")
        connection.execute(b"DELETE FROM public.audit_big WHERE n > 10000")
    database.server.execute(
        "ALTER SYSTEM SET autovacuum = on",
        "ALTER SYSTEM SET autovacuum_naptime = '1s'",
        "SELECT pg_reload_conf()",
    )
    try:
        yield wait_for_autovacuum(database)
    finally:
        database.server.execute(
            "ALTER SYSTEM SET autovacuum = off",
            "ALTER SYSTEM RESET autovacuum_naptime",
            "SELECT pg_reload_conf()",
        )


def wait_for_autovacuum(database: Database) -> int:
    for _ in range(300):
        found = database.rows(
            "SELECT a.pid, pg_sleep(0.1)::text FROM pg_stat_progress_vacuum AS p JOIN pg_stat_activity AS a"
            " USING (pid) WHERE a.backend_type = 'autovacuum worker' AND p.datname = current_database()"
            " AND p.relid = 'public.audit_big'::regclass"
        )
        if found:
            return int(found[0][0])
        time.sleep(0.1)
    raise AssertionError("autovacuum never came to the table")


def test_autovacuum_is_let_out_of_the_way_while_readers_and_writers_go_on(
    big: Database, tmp_path: Path
) -> None:
    # The last step would hold its lock while the contract is proved: another matter.
    folder = str(with_steps(tmp_path, step_40="-- step: tx\nSELECT 1;\n"))
    runs: list[Any] = []
    runner = threading.Thread(
        target=lambda: runs.append(ops(big, "apply", "--sql-dir", folder, "--lock-budget", "30", "--json"))
    )
    slowest = 0.0
    with big.connect() as client, slow_autovacuum(big) as vacuumed:
        runner.start()
        while runner.is_alive():
            begun = time.monotonic()
            client.execute(b"SELECT FROM public.audit_big WHERE n = 1")
            client.execute(b"DELETE FROM public.audit_big WHERE n = -1")
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.01)
    assert [run.code for run in runs] == [0], runs[0].err
    waiting = [line["text"] for line in _told(runs[0].err) if line["event"] == "waiting"]
    assert any(f"pid {vacuumed}, autovacuum worker, " in text for text in waiting), waiting
    assert slowest < 0.9, "nobody waits behind the runner for the second that autovacuum takes to yield"
    done = "SELECT autovacuum_count FROM pg_stat_all_tables WHERE relid = 'public.audit_big'::regclass"
    assert big.value(done) == 0, "it was ended, not waited for"


def test_an_admin_without_superuser_sees_autovacuum_in_the_way_and_lets_it_out(
    make_supabase: Callable[[], Database],
) -> None:
    database = make_supabase()
    admin = database.server.admin
    with database.connect(admin) as work, database.connect(admin) as guard:
        work.execute(b"CREATE TABLE public.audit_big (n int PRIMARY KEY)")
        oid = database.value("SELECT 'public.audit_big'::regclass::oid::bigint")
        with slow_autovacuum(database) as vacuumed:
            told: list[str] = []
            with (
                watched(guard, work.info.backend_pid, 0.05, told.extend) as watch,
                contextlib.suppress(psycopg.errors.LockNotAvailable),
                work.transaction(),
            ):
                work.execute(b"SET LOCAL lock_timeout = '500ms'")
                work.execute(b"LOCK TABLE public.audit_big IN ACCESS EXCLUSIVE MODE")
            assert watch.vacuumed == oid
            assert f"pid {vacuumed}, autovacuum worker, " in told[0]
            assert make_way(guard, oid)
            gone = database.rows(
                f"SELECT FROM pg_stat_activity WHERE pid = {vacuumed} AND query LIKE '%audit_big%'"
            )
            assert gone == []
    database.drop()


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("UPDATE public.t SET a = 'secret'", "UPDATE public.t SET a"),
        ("select pg_sleep(600)", "select pg_sleep"),
        ("INSERT INTO t VALUES ('secret', 4711)", "INSERT INTO t VALUES"),
        ("/* secret */ SELECT 1", "a query that cannot be seen"),
        ("'secret'", "a query that cannot be seen"),
        (None, "a query that cannot be seen"),
    ],
)
def test_only_the_first_words_of_a_query_are_shown(query: str | None, shown: str) -> None:
    assert first_words(query) == shown


def _told(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
