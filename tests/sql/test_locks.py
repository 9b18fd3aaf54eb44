"""A session in the way: it is named, the runner comes again, and nobody else waits behind the runner."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ops.migrate.blockers import first_words
from tests.sql.support import Database, ops, wait_for_runners
from tests.sql.test_steps import STATE, big, with_steps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

__all__ = ["big"]
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
