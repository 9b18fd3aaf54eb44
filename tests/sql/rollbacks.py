"""A rollback with its backup and its word of consent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.sql.support import Database, Run, ops

if TYPE_CHECKING:
    from pathlib import Path


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
