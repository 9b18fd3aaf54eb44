"""Which locks a step takes on tables that exist before it, read off its statements. Pure.

A statement inside a DO block or a function cannot be seen from outside; such blocks are counted instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.migrate.statements import Statement

_CONCURRENT, _SHARE, _ROW_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE", "SHARE", "ROW EXCLUSIVE"
_TRIGGER, _ALL = "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"
_NAME = r"(?P<table>[a-z0-9_.\"]+)"
_FORMS: tuple[tuple[str, str], ...] = (
    (rf"CREATE (?:UNIQUE )?INDEX CONCURRENTLY .*?\bON {_NAME}", _CONCURRENT),
    (rf"(?:DROP INDEX|REINDEX \w+) CONCURRENTLY (?:IF EXISTS )?{_NAME}", _CONCURRENT),
    (rf"CREATE (?:UNIQUE )?INDEX .*?\bON {_NAME}", _SHARE),
    (rf"CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER .*?\bON {_NAME}", _TRIGGER),
    (rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME} VALIDATE", _CONCURRENT),
    (rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME} ADD (?:CONSTRAINT \w+ )?FOREIGN KEY", _TRIGGER),
    (rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME}", _ALL),
    (rf"(?:CREATE|ALTER) POLICY .*?\bON {_NAME}", _ALL),
    (rf"DROP (?:POLICY|TRIGGER|RULE) .*?\bON {_NAME}", _ALL),
    (rf"(?:DROP TABLE|DROP INDEX|TRUNCATE|LOCK)(?: TABLE)?(?: IF EXISTS)? {_NAME}", _ALL),
    (rf"(?:INSERT INTO|UPDATE|DELETE FROM) {_NAME}", _ROW_EXCLUSIVE),
)
_PATTERNS = tuple(
    (re.compile(form.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL), lock) for form, lock in _FORMS
)
_NEW_TABLE = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)


def locks(statements: Sequence[Statement]) -> list[str]:
    """Lines like `SHARE on public.t`, sorted; tables that the step itself makes are left out."""
    made, taken, hidden = set(), set(), 0
    for statement in statements:
        hidden += statement.words[:1] == ("DO",)
        if new := _NEW_TABLE.match(statement.text):
            made.add(new["table"])
        for pattern, lock in _PATTERNS:
            if match := pattern.match(statement.text):
                taken.add((lock, match["table"]))
                break
    found = sorted(f"{lock} on {table}" for lock, table in taken if table not in made)
    return [*found, f"not known from the file: {hidden} DO blocks"] if hidden else found
