"""A rollback with its backup and its word of consent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ops.migrate.fingerprint import describe
from tests.sql.support import TENANT_A, Database, Run, log_event, ops

if TYPE_CHECKING:
    from pathlib import Path


def catalog(database: Database) -> dict[str, str]:
    """Every object of the database, to be compared before and after."""
    with database.connect() as connection, connection.transaction():
        return describe(connection)


def fill(database: Database) -> None:
    """Log three events."""
    with database.connect() as connection, connection.transaction():
        for _ in range(3):
            log_event(connection, TENANT_A)


def backup(database: Database, folder: Path) -> str:
    """Take one into a folder; the path of its manifest."""
    run = ops(database, "backup", "--dir", str(folder), "--json")
    assert run.code == 0, run.err
    return str(run.json["manifest"])


def word(database: Database, manifest: str) -> str:
    """The word of consent, as a run without it prints it."""
    run = ops(database, "rollback", "--to", "022", "--backup", manifest)
    assert run.code == 11
    return re.findall(r"--confirm (\S+)", run.err)[0]


def rollback(database: Database, manifest: str, *more: str) -> Run:
    """Go back to 022 with this backup, and with consent."""
    confirm = word(database, manifest)
    return ops(database, "rollback", "--to", "022", "--backup", manifest, "--confirm", confirm, *more)
