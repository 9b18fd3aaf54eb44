"""A migration after the last one of the project, for tests of what comes later; and its removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from model.plan import REVIEW, load_plan
from ops.migrate.review import as_yaml, review
from tests.checkout import CHECKOUT
from twin import database

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths

LATEST = load_plan(CHECKOUT / "sql").latest
VERSION = f"{int(LATEST) + 1:03}"
GOOD = "CREATE TABLE orka_audit.of_a_test (id integer PRIMARY KEY);\n"
BROKEN = "CREATE TABLE orka_audit.of_a_test (id integer PRIMARY KEY);\nSELECT 1 FROM no_such_table;\n"


def write(clone: Path, sql: str) -> None:
    """Put the migration into a clone, the contract's version with it."""
    folder = clone / "sql" / f"{VERSION}_of_a_test"
    folder.mkdir(exist_ok=True)
    (folder / "up.sql").write_text(sql)
    contract = clone / "sql" / "contract.yaml"
    text = contract.read_text()
    assert f"version: '{LATEST}'" in text or f"version: '{VERSION}'" in text
    contract.write_text(text.replace(f"version: '{LATEST}'", f"version: '{VERSION}'"))
    (clone / "sql" / REVIEW).write_text(as_yaml(review(clone / "sql")))


def applied(paths: Paths) -> list[str]:
    """The versions in the ledger."""
    with psycopg.connect(database.admin_url(paths)) as connection:
        rows = connection.execute("SELECT version FROM orka_migrations.ledger ORDER BY 1").fetchall()
    return [str(row[0]) for row in rows]


def remove(paths: Paths) -> None:
    """Take it out of the database again, where it is."""
    with psycopg.connect(database.admin_url(paths)) as connection:
        connection.execute("DROP TABLE IF EXISTS orka_audit.of_a_test")
        for table in ("ledger", "steps"):
            connection.execute(f"DELETE FROM orka_migrations.{table} WHERE version = %s".encode(), [VERSION])
