"""A run killed at any statement and then run again ends as one that was left alone; so do two at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.migrate.fingerprint import describe
from ops.migrate.statements import split
from tests.sql import two_runners
from tests.sql.kills import ADOPT, STEPS, kill_after, kill_asleep
from tests.sql.originals import make_original
from tests.sql.outcome import chain_problems
from tests.sql.support import SQL, Database, Server, copy_sql, ops, wait_for_runners

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UP = "023_ai_empowered_audit_trail/up.sql"
IN_EVERY_TEST = ("45_set_keys_aside", "60_copy_arrivals")
SLEEP = "SELECT pg_sleep(600)"
# In the second batch, whose work is done and not yet committed.
IN_A_BATCH = {
    "50_copy_events": "(SELECT copied_to FROM orka_new.progress) > 0",
    "58_copy_others": "(SELECT min(ordinal) FROM orka_new.queue) > 1",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two of the steps in every run, all of them under `--soak`."""
    if "killed_after" in metafunc.fixturenames:
        all_of_them = metafunc.config.getoption("--soak")
        metafunc.parametrize("killed_after", ["", *STEPS[:-1]] if all_of_them else IN_EVERY_TEST)


def asleep_after(sql: str, number: int) -> str:
    """A step that stands still after one of its statements, all else as it is: comments include files."""
    end = 0
    for one in split(sql)[: number + 1]:
        end = sql.index(one.text, end) + len(one.text)
    return f"{sql[:end]};\n{SLEEP}{sql[end:]}"


def whole(database: Database) -> dict[str, str]:
    """Every object of the database, but for what `kill_after` put in the runner's way."""
    with database.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(b"DROP SCHEMA IF EXISTS hold CASCADE")
        return describe(connection)


@pytest.fixture(scope="module")
def adopted(server: Server) -> dict[str, str]:
    """What an adoption leaves that nobody interrupts."""
    database = make_original(server.create(), "023+024")
    assert ops(database, "apply", "--adopt").code == 0
    left = whole(database)
    database.drop()
    return left


def assert_adopted(database: Database, adopted: dict[str, str]) -> None:
    assert whole(database) == adopted
    assert database.value("SELECT count(*) FROM public.roche_audit_logs") == 300
    assert chain_problems(database) == []


def test_after_a_kill_the_next_run_ends_where_an_uninterrupted_one_does(
    make: Callable[[str], Database], adopted: dict[str, str], killed_after: str
) -> None:
    database = make("023+024")
    kill_after(database, killed_after)
    run = ops(database, "apply", "--lock-wait", "30", "--batch-size", "50")
    assert run.code == 0, run.err
    assert_adopted(database, adopted)
    attempts = dict(database.rows("SELECT step, attempt FROM orka_migrations.steps"))
    before = STEPS[: STEPS.index(killed_after) + 1] if killed_after else []
    assert all(attempts[f"adopt/{name}"] == 1 for name in before), "not run again"


@pytest.mark.parametrize("step", IN_A_BATCH)
def test_killed_in_a_batch_it_goes_on_after_the_batch_before(
    make: Callable[[str], Database], adopted: dict[str, str], tmp_path: Path, step: str
) -> None:
    database = make("023+024")
    folder = copy_sql(tmp_path)
    file = folder / ADOPT / f"{step}.sql"
    header, *_ = file.read_text().splitlines()
    setting, call = (one.text for one in split(file.read_text()))
    file.write_text(
        f"{header}\n{setting};\n"
        f"SELECT rows + length(pg_sleep(CASE WHEN {IN_A_BATCH[step]} THEN 600 ELSE 0 END)::text)"
        f" FROM ({call} AS rows OFFSET 0) AS batch;\n"
    )
    assert ops(database, "baseline").code == 0
    kill_asleep(database, "apply", "--batch-size", "2", "--sql-dir", str(folder))
    (done,) = database.rows(f"SELECT rows_done FROM orka_migrations.steps WHERE step = 'adopt/{step}'")[0]
    assert done in (2, 80), "the first batch stays"
    run = ops(database, "apply", "--lock-wait", "30", "--batch-size", "2")
    assert run.code == 0, run.err
    assert_adopted(database, adopted)


def test_killed_after_every_one_of_its_statements_in_turn_it_still_arrives(
    make: Callable[[str], Database], adopted: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Without --soak after one statement of the swap."""
    database = make("023+024")
    assert ops(database, "baseline").code == 0
    points = [
        (step, number)
        for step in STEPS
        for number in range(len(split((SQL / ADOPT / f"{step}.sql").read_text())))
    ]
    for step, number in points if request.config.getoption("--soak") else points[-3:-2]:
        folder = copy_sql(tmp_path / f"{step}-{number}")
        file = folder / ADOPT / f"{step}.sql"
        file.write_text(asleep_after(file.read_text(), number))
        kill_asleep(database, "apply", "--lock-wait", "30", "--sql-dir", str(folder))
    run = ops(database, "apply", "--lock-wait", "30")
    assert run.code == 0, run.err
    assert_adopted(database, adopted)


def test_killed_at_any_statement_of_an_ordinary_migration_nothing_of_it_is_there(
    empty: Database, migrated: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Without --soak at one in the middle."""
    statements = [one.text for one in split((SQL / UP).read_text())]
    points = range(len(statements)) if request.config.getoption("--soak") else [len(statements) // 2]
    for point in points:
        folder = copy_sql(tmp_path / f"point{point}")
        slow = [*statements[: point + 1], SLEEP, *statements[point + 1 :]]
        (folder / UP).write_text(";\n".join(slow) + ";\n")
        kill_asleep(empty, "apply", "--lock-wait", "30", "--sql-dir", str(folder))
        assert empty.rows("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'orka%'") == [], point
    assert ops(empty, "apply", "--lock-wait", "30").code == 0
    assert whole(empty) == whole(migrated)


def test_of_two_runners_at_once_one_takes_over_and_the_other_waits_and_does_nothing(
    make: Callable[[str], Database], adopted: dict[str, str]
) -> None:
    database = make("023+024")
    runners = two_runners.start(database, SQL, "--adopt", "--batch-size", "2")
    wait_for_runners(database, 1)
    assert two_runners.results(runners, "023", 120) == [False, True]
    assert_adopted(database, adopted)
