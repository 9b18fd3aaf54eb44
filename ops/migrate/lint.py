"""Rules for migrations that Squawk has none for, read off the text of one file. Pure.

A file is one transaction. What a DO block executes is looked at as text too, so it must spell out its verbs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.migrate.statements import Statement, split

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r'(?P<name>[\w."%]+)'
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
_TABLE = re.compile(rf"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}", re.IGNORECASE)
_INDEX = re.compile(
    rf"CREATE\s+(?:UNIQUE\s+)?INDEX\b(?!\s+CONCURRENTLY).*?\bON\s+{_NAME}", re.IGNORECASE | re.DOTALL
)
_POLICY = re.compile(
    r"CREATE\s+POLICY\b(?P<rest>.*?)(?=\bUSING\b|\bWITH\s+CHECK\b|;|$)", re.IGNORECASE | re.DOTALL
)
_FUNCTION = re.compile(rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+{_NAME}", re.IGNORECASE)
_GRANT = re.compile(r"\bGRANT\b(?P<rights>[^;']*?)\bON\b(?P<rest>[^;']*)", re.IGNORECASE)
_STRANGERS = re.compile(r"\bTO\b[^;']*\b(public|anon|service_role)\b", re.IGNORECASE)
_SEARCH_PATH = re.compile(r"SET\s+search_path\s*(?:=|TO)\s*''", re.IGNORECASE)
# A body in standard SQL is bound to what it names when the function is made.
_BOUND_BODY = re.compile(r"^\s*(?:RETURN\b|BEGIN\s+ATOMIC\b)", re.IGNORECASE | re.MULTILINE)
_QUOTED_BODY = re.compile(r"\$\w*\$.*", re.DOTALL)
_CLOSED = re.compile(
    r"ALTER\s+DEFAULT\s+PRIVILEGES\b.*REVOKE\s+(?:EXECUTE|ALL)\s+ON\s+FUNCTIONS\s+FROM\s+PUBLIC",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class LintFinding:
    """One place in a file that breaks a rule."""

    path: str
    line: int
    rule: str
    remedy: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.path} line {self.line}: {self.rule}: {self.remedy}"


def lint(path: str, sql: str) -> list[LintFinding]:
    """Findings of one file, in order of line."""
    statements = [(one, _COMMENT.sub(lambda match: match[1] or " ", one.text)) for one in split(sql)]
    found = [*_tables(statements), *_policies(statements), *_functions(statements), *_grants(statements)]
    return sorted(
        (LintFinding(path, line, rule, remedy) for line, rule, remedy in found),
        key=lambda finding: (finding.line, finding.rule),
    )


_Code = list[tuple[Statement, str]]
_Found = tuple[int, str, str]


def _tables(statements: _Code) -> Iterator[_Found]:
    made = {match["name"]: one.line for one, text in statements if (match := _TABLE.match(text))}
    for table, line in made.items():
        for what in ("ENABLE", "FORCE"):
            wanted = re.compile(
                rf"ALTER\s+TABLE\s+{re.escape(table)}\s+{what}\s+ROW\s+LEVEL\s+SECURITY", re.IGNORECASE
            )
            if not any(wanted.search(text) for _, text in statements):
                yield (
                    line,
                    "table-row-security",
                    f"{what} ROW LEVEL SECURITY on {table} in the same transaction",
                )
    for one, text in statements:
        match = _INDEX.match(text)
        if match and match["name"] not in made:
            yield one.line, "index-concurrently", f"{match['name']} is there before: build CONCURRENTLY"


def _policies(statements: _Code) -> Iterator[_Found]:
    for one, text in statements:
        for match in _POLICY.finditer(text):
            rest = match["rest"]
            if not re.search(r"\bTO\s", rest, re.IGNORECASE) or _STRANGERS.search(rest):
                yield one.line, "policy-roles", "name the roles, never public, anon or service_role"


def _functions(statements: _Code) -> Iterator[_Found]:
    whole = "\n".join(text for _, text in statements)
    closed = False
    for one, text in statements:
        closed = closed or bool(_CLOSED.match(text))
        match = _FUNCTION.match(text)
        if match is None:
            continue
        if not _SEARCH_PATH.search(text) and not _BOUND_BODY.search(_QUOTED_BODY.sub("", text)):
            yield one.line, "function-search-path", f"pin it on {match['name']}: SET search_path = ''"
        function = re.escape(match["name"])
        revoked = rf"REVOKE\s+(?:EXECUTE|ALL)\s+ON\s+FUNCTION\s[^;]*{function}\b[^;]*FROM\s[^;]*PUBLIC"
        if re.search(r"SECURITY\s+DEFINER", text, re.IGNORECASE) and not (
            closed or re.search(revoked, whole, re.IGNORECASE)
        ):
            yield one.line, "definer-execute", f"REVOKE EXECUTE ON FUNCTION {match['name']} FROM PUBLIC"


def _grants(statements: _Code) -> Iterator[_Found]:
    for one, text in statements:
        for match in _GRANT.finditer(text):
            if _STRANGERS.search(match["rest"]):
                yield (
                    one.line,
                    "grant-strangers",
                    "grant to named groups, never to public, anon or service_role",
                )
            if re.search(r"\b(TRUNCATE|ALL)\b", match["rights"], re.IGNORECASE):
                yield one.line, "grant-truncate", "name the verbs; nobody may TRUNCATE"
