"""A scripted PostgreSQL behind `psycopg.connect`: it notes every statement and knows a few rows."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = tuple[Any, ...]
QUESTIONS = ("SHOW ", "SELECT ")


@dataclass
class FakePostgresql:
    """The server.

    Attributes:
        rows: what a question returns, by a word in it.
        refuses: raised instead of connecting.
        mark: its `cluster_name`.

    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    refuses: Exception | None = None
    mark: str = "orka-twin"
    connections: list[dict[str, Any]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)

    def changes(self) -> list[str]:
        """The statements that ask for more than an answer, with single blanks."""
        return [" ".join(text.split()) for text in self.statements if not text.startswith(QUESTIONS)]

    @contextmanager
    def connect(self, **how: Any) -> Iterator[FakePostgresql]:
        """A connection; it is its own cursor's maker."""
        self.connections.append(how)
        if self.refuses:
            raise self.refuses
        yield self

    @contextmanager
    def cursor(self) -> Iterator[_Cursor]:
        """A cursor."""
        yield _Cursor(self)


class _Cursor:
    def __init__(self, server: FakePostgresql) -> None:
        self._server = server
        self._rows: list[Row] = []

    def execute(self, statement: Any, _parameters: list[Any] | None = None) -> None:
        text = statement if isinstance(statement, str) else statement.as_string(None)
        self._server.statements.append(text)
        found = {"cluster_name": [(self._server.mark,)], **self._server.rows}
        self._rows = next((rows for word, rows in found.items() if word in text), [])

    def fetchone(self) -> Row | None:
        return self._rows[0] if self._rows else None

    def fetchall(self) -> list[Row]:
        return self._rows
