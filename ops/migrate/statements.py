"""Cut a SQL text into statements, so that an error can name the one that failed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*)
    |(?P<dollar>\$(?:[A-Za-z_]\w*)?\$)
    |(?P<string>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*")
    |(?P<word>[A-Za-z_][\w$]*)
    |(?P<end>;)
    |(?P<space>\s+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_COMMENT_EDGE = re.compile(r"/\*|\*/")
_INDEX = re.compile(
    r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?P<name>[a-z_][a-z0-9_]*)\s+ON\s+(?P<table>[a-z0-9_.]+)",
    re.IGNORECASE,
)
# What would end or leave the runner's transaction, or cannot run in one.
_OWN_TRANSACTION = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "VACUUM"}


_COUNTING = (("UPDATE",), ("INSERT",), ("DELETE",), ("SELECT",), ("WITH",))


class StatementError(ValueError):
    """The file cannot be run as the kind of step that it is; the message names the line."""


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon; `line` counts from 1 and is where its first word stands."""

    text: str
    line: int
    words: tuple[str, ...]
    file: str = ""

    @property
    def first_line(self) -> str:
        """Enough of the statement to recognise it."""
        return self.text.splitlines()[0].strip()[:160]

    @property
    def concurrent_index(self) -> tuple[str, str] | None:
        """Name and table of the index that this statement builds concurrently."""
        match = _INDEX.match(self.text)
        return (match["name"].lower(), match["table"].lower()) if match else None


def split(sql: str, file: str = "") -> list[Statement]:
    """Statements of `sql` in order; text inside quotes, dollar quotes and comments is not looked into."""
    statements: list[Statement] = []
    words: list[str] = []
    start: int | None = None
    position = 0
    while match := _TOKEN.match(sql, position):
        kind, token_start, position = match.lastgroup, match.start(), match.end()
        if match[0] == "/*":
            position = _block_comment_end(sql, token_start)
        elif kind == "dollar":
            position = _closing(sql, match[0], position, token_start)
        if kind == "end":
            if start is not None:
                statements.append(_statement(sql, start, token_start, words, file))
            start, words = None, []
        elif kind not in ("space", "comment"):
            start = token_start if start is None else start
            if kind == "word":
                words.append(match[0].upper())
    if start is not None:
        statements.append(_statement(sql, start, len(sql), words, file))
    return statements


def require_one_transaction(statements: list[Statement]) -> None:
    """Refuse what a runner that owns the transaction cannot execute."""
    for statement in statements:
        first = statement.words[0] if statement.words else ""
        if first in _OWN_TRANSACTION or statement.words[:2] == ("PREPARE", "TRANSACTION"):
            raise StatementError(
                f"line {statement.line}: {first} has no place here, the runner owns the transaction"
            )
        if "CONCURRENTLY" in statement.words:
            raise StatementError(
                f"line {statement.line}: CONCURRENTLY cannot run inside the runner's transaction"
            )
        if "ATOMIC" in statement.words:
            raise StatementError(
                f"line {statement.line}: write function bodies as strings, not as BEGIN ATOMIC"
            )


def require_concurrent(statements: list[Statement]) -> None:
    """Refuse in a concurrent step what cannot be run again after it was killed half way."""
    for statement in statements:
        if statement.words[:1] in (("SET",), ("RESET",)) and "LOCAL" not in statement.words:
            continue
        if statement.words[:3] == ("DROP", "INDEX", "CONCURRENTLY") and "EXISTS" in statement.words:
            continue
        if statement.concurrent_index is None:
            raise StatementError(
                f"line {statement.line}: a concurrent step holds SET, DROP INDEX CONCURRENTLY IF EXISTS and"
                " CREATE INDEX CONCURRENTLY name ON table, without IF NOT EXISTS: the runner sees to that"
            )


def require_batch(statements: list[Statement]) -> None:
    """Refuse a backfill whose last statement does not say how many rows it did."""
    require_one_transaction(statements)
    if not statements or statements[-1].words[:1] not in _COUNTING:
        raise StatementError("a backfill ends with UPDATE, INSERT, DELETE, or a SELECT of the number of rows")


def _statement(sql: str, start: int, end: int, words: list[str], file: str) -> Statement:
    return Statement(
        text=sql[start:end].rstrip(), line=sql.count("\n", 0, start) + 1, words=tuple(words), file=file
    )


def _closing(sql: str, delimiter: str, position: int, start: int) -> int:
    closed = sql.find(delimiter, position)
    if closed < 0:
        raise StatementError(f"line {sql.count(chr(10), 0, start) + 1}: {delimiter} is never closed")
    return closed + len(delimiter)


def _block_comment_end(sql: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_COMMENT_EDGE.finditer(sql, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise StatementError(f"line {sql.count(chr(10), 0, start) + 1}: /* is never closed")
