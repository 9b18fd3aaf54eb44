"""An adoption that is stopped half way and taken back, and what the database holds before and after."""

from __future__ import annotations

import re

from ops.migrate.content import content, present
from ops.migrate.fingerprint import describe
from tests.sql.kills import kill_after
from tests.sql.support import GUIDE_TABLES, Database, Run, ops

# Nothing but the swap is left to do.
LAST = "75_let_references_go"


def state(database: Database) -> tuple[dict[str, str], dict[str, dict[str, int | str]]]:
    """Every object of the database, and what is in the tables made by hand."""
    with database.connect() as connection, connection.transaction():
        tables = present(connection, [f"public.{table}" for table in GUIDE_TABLES])
        audit = [table for table in tables if table.startswith("public.")]
        return describe(connection), content(connection, audit)


def stop_after(database: Database, step: str) -> None:
    """Kill an adoption when this step is done; the runner of the next call is not held up."""
    kill_after(database, step)
    with database.connect() as connection:
        connection.execute(b"DROP SCHEMA hold CASCADE")


def word(database: Database, *more: str) -> str:
    """The word of consent, as a run without it prints it."""
    run = ops(database, "rollback", "--to", "022", "--lock-wait", "30", *more)
    assert run.code == 11, run.err
    return re.findall(r"--confirm (\S+)", run.err)[0]


def undo(database: Database, *more: str) -> Run:
    """Go back to 022 with consent, without a backup."""
    confirm = word(database)
    return ops(database, "rollback", "--to", "022", "--confirm", confirm, "--lock-wait", "30", *more)


def assert_taken_back(database: Database, stopped_after: str = LAST) -> None:
    """An adoption that stops there leaves nothing once it is taken back."""
    before = state(database)
    stop_after(database, stopped_after)
    run = undo(database)
    assert run.code == 0, run.err
    assert state(database) == before
