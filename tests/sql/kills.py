"""End a runner with kill -9 where a test has put a pg_sleep in its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

from tests.sql.support import SQL, ops

if TYPE_CHECKING:
    from tests.sql.support import Database

ADOPT = "023_ai_empowered_audit_trail/adopt"
STEPS = sorted(path.stem for path in (SQL / ADOPT).glob("[0-9]*.sql"))


def wait_asleep(database: Database, number: int = 1, event: str = "PgSleep") -> None:
    """Until a runner stands in a pg_sleep, or at a lock, that a test put in its way (0: none any more)."""
    with database.connect() as connection:
        for _ in range(400):
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE wait_event = %s AND application_name LIKE 'orka-%%'),"
                " pg_sleep(0.05)::text FROM pg_stat_activity WHERE datname = current_database()",
                (event,),
            ).fetchone()
            if row is not None and row[0] == number:
                return
    raise AssertionError(f"never {number} runners asleep")


def kill_asleep(database: Database, *arguments: str) -> None:
    """Run `ops migrate ARGUMENTS` up to a pg_sleep in its way, kill -9 it; the server has noticed then."""
    runner = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "migrate", *arguments],
        env={**os.environ, "DATABASE_URL": database.admin_url, "TERMINATION_LOG": os.devnull},
        cwd=SQL.parent,
        stderr=subprocess.DEVNULL,
    )
    wait_asleep(database)
    runner.send_signal(signal.SIGKILL)
    assert runner.wait(timeout=10) == -signal.SIGKILL
    wait_asleep(database, number=0)


def kill_after(database: Database, step: str) -> None:
    """Run until a step is done, then stand at the next one and be killed there."""
    following = STEPS[STEPS.index(step) + 1] if step else STEPS[0]
    hold = f"orka_hold_{uuid.uuid4().hex[:8]}"
    ops(database, "baseline")
    with database.connect() as connection:
        connection.execute(b"CREATE SCHEMA IF NOT EXISTS hold")
        connection.execute(
            f"CREATE FUNCTION hold.{hold}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.step = 'adopt/{following}' THEN PERFORM pg_sleep(600); END IF;"
            " RETURN NEW; END $$".encode()
        )
        connection.execute(
            f"CREATE TRIGGER hold BEFORE INSERT OR UPDATE ON orka_migrations.steps"
            f" FOR EACH ROW EXECUTE FUNCTION hold.{hold}()".encode()
        )
    kill_asleep(database, "apply", "--batch-size", "50", "--sql-dir", str(SQL))
    with database.connect() as connection:
        connection.execute(b"DROP TRIGGER hold ON orka_migrations.steps")
