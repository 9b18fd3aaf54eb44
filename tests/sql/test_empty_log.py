"""Where nothing was ever logged every verb comes to its end, and the first event begins its chain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.migrate.options import Options
from tests.sql.kills import kill_after
from tests.sql.originals import OLD_EVENT, VARIANTS
from tests.sql.outcome import catalog, chain_problems
from tests.sql.rollbacks import backup, rollback
from tests.sql.support import GUIDE_TABLES, TENANT_A, Database, log_event, ops
from tests.sql.undone_adoptions import assert_taken_back, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVENTS = "SELECT count(*) FROM public.roche_audit_logs"
# More batches than there are foreign keys, the one thing here that is taken away batch by batch.
MANY = 50


@pytest.fixture(autouse=True)
def _no_endless_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that does not see that nothing is left fails here, where it would go on for ever."""
    pauses = iter(range(MANY))

    def pause(_: Options) -> None:
        assert next(pauses, None) is not None, "batch after batch of nothing"

    monkeypatch.setattr(Options, "pause", pause)


def without_rows(database: Database) -> Database:
    with database.connect() as connection:
        connection.execute(f"TRUNCATE {', '.join(f'public.{name}' for name in GUIDE_TABLES)}".encode())
    return database


def adopt(database: Database, *more: str) -> None:
    run = ops(database, "apply", "--adopt", "--lock-wait", "30", *more)
    assert run.code == 0, run.err


def assert_first_in_its_chain(database: Database) -> None:
    with database.connect() as connection, connection.transaction():
        assert log_event(connection, TENANT_A)[1:3] == (1, "0" * 64)
    assert chain_problems(database) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_taken_over_and_the_first_event_begins_its_chain(
    make: Callable[[str, int], Database], migrated: Database, variant: str
) -> None:
    database = make(variant, 0)
    adopt(database)
    assert database.value(EVENTS) == 0
    assert ops(database, "verify").code == 0
    assert catalog(database) == catalog(migrated)
    assert_first_in_its_chain(database)
    assert ops(database, "apply", "--json").json["outcome"] == "nothing to do"


@pytest.mark.parametrize("step", ["40_list_history", "75_let_references_go"])
def test_events_that_come_while_it_is_taken_over_are_copied(
    make: Callable[[str, int], Database], step: str
) -> None:
    database = make("023+024", 0)
    kill_after(database, step)
    with database.connect() as connection:
        connection.execute(OLD_EVENT)
        connection.execute(OLD_EVENT)
    adopt(database, "--batch-size", "1")
    assert database.rows("SELECT seq FROM public.roche_audit_logs ORDER BY seq") == [(1,), (2,)]
    assert chain_problems(database) == []


def test_a_log_that_was_emptied_by_hand_after_it_was_listed_is_taken_over_without_events(
    make: Callable[[str, int], Database],
) -> None:
    database = make("base", 2)
    kill_after(database, "40_list_history")
    with database.connect() as connection:
        connection.execute(
            b"BEGIN; ALTER TABLE public.roche_audit_logs DISABLE TRIGGER orka_refuse_change;"
            b" DELETE FROM public.roche_audit_logs;"
            b" ALTER TABLE public.roche_audit_logs ENABLE ALWAYS TRIGGER orka_refuse_change; COMMIT"
        )
    adopt(database, "--batch-size", "1")
    assert database.value(EVENTS) == 0
    assert_first_in_its_chain(database)


@pytest.mark.parametrize("step", ["40_list_history", "75_let_references_go"])
def test_an_adoption_that_stopped_half_way_is_taken_back(
    make: Callable[[str, int], Database], step: str
) -> None:
    assert_taken_back(without_rows(make("023+024", 0)), step)


def test_without_any_row_it_is_taken_over_and_backed_up_and_rolled_back(
    make: Callable[[str, int], Database], tmp_path: Path
) -> None:
    database = without_rows(make("023+024", 0))
    before = state(database)
    adopt(database)
    run = rollback(database, backup(database, tmp_path))
    assert run.code == 0, run.err
    assert state(database) == before


def test_a_migrated_database_is_verified_backed_up_and_rolled_back(empty: Database, tmp_path: Path) -> None:
    before = state(empty)[0]
    assert ops(empty, "apply").code == 0
    assert ops(empty, "verify").code == 0
    with empty.as_tenant("app", TENANT_A) as connection:
        row = connection.execute(b"SELECT * FROM orka_audit.verify_chain()").fetchone()
        assert row == (0, None, None)
    run = rollback(empty, backup(empty, tmp_path))
    assert run.code == 0, run.err
    assert state(empty)[0] == before
