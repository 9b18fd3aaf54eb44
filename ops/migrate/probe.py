"""One probe: statements of roles with claims, and what the last of them must do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import SystemRandom
from uuid import UUID, uuid4

ROWS, NOTHING = "rows", "nothing"
DENIED = "42501"
APPEND_ONLY = "55000"
FIRST_ROW = "22012"
_DIMENSIONS = 1536


@dataclass(frozen=True)
class Step:
    """A statement as a role; `claims` of None leaves them as they are."""

    role: str
    sql: str
    claims: str | None = None
    unless: str | None = None
    """A condition: where it holds the statement is not run and its outcome is `may`."""


@dataclass(frozen=True)
class Probe:
    """Steps in one sub-transaction that is undone; `expected` is what the last one must give.

    It is `rows`, `nothing`, or a SQLSTATE; of a step before the last one only success is expected.
    """

    kind: str
    name: str
    steps: tuple[Step, ...]
    expected: str
    keep: bool = False
    """Not undone before the end of the run: rows that other probes need."""


@dataclass(frozen=True)
class Tenants:
    """Two tenants that exist for one run, with two events each: one that rows refer to, and a spare one."""

    ids: dict[str, UUID] = field(default_factory=lambda: {"A": uuid4(), "B": uuid4()})
    events: dict[str, tuple[UUID, UUID]] = field(
        default_factory=lambda: {"A": (uuid4(), uuid4()), "B": (uuid4(), uuid4())}
    )
    mark: int = field(default_factory=lambda: SystemRandom().randint(1, _DIMENSIONS - 1))
    """How many dimensions of its vector are positive: dead rows of other runs are no neighbours of it."""
    rows: dict[tuple[str, str], UUID] = field(default_factory=dict)
    """Id of the row of (table, tenant)."""

    def vector(self, size: float = 0.1) -> str:
        """A vector of this run as an expression; with a negative size the one farthest from it."""
        positive, negative = (f"array_fill({value}::real, ARRAY[{{}}])" for value in (size, -size))
        return f"{positive.format(self.mark)} || {negative.format(_DIMENSIONS - self.mark)}"

    def fill(self, text: str, tenant: str = "A", *, spare: bool = False) -> str:
        """`text` with the ids of this run in place of its {words}."""
        own, other = self.events[tenant], self.events["B" if tenant == "A" else "A"]
        words = {
            "{A}": self.ids["A"],
            "{B}": self.ids["B"],
            "{tenant}": self.ids[tenant],
            "{event}": own[1] if spare else own[0],
            "{used event}": own[0],
            "{other event}": other[1],
            "{near}": self.vector(),
        }
        for word, value in words.items():
            text = text.replace(word, str(value))
        return text


def literal(value: str | None) -> str:
    """A value as SQL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def name(identifier: str) -> str:
    """An identifier as SQL; a dot separates a schema."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))
