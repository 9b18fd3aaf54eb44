"""Cutting SQL into statements: quotes, comments and dollar quotes are not looked into."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.migrate.statements import StatementError, require_one_transaction, split
from tests.sql.support import SQL


def texts(sql: str) -> list[str]:
    return [statement.text for statement in split(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';';SELECT 2;", ["SELECT ';'", "SELECT 2"]),
        ("SELECT 'it''s; fine'; x", ["SELECT 'it''s; fine'", "x"]),
        (r"SELECT E'\'; still'; x", [r"SELECT E'\'; still'", "x"]),
        (r"SELECT '\'; x", [r"SELECT '\'", "x"]),
        ('SELECT "a;b"; x', ['SELECT "a;b"', "x"]),
        ("-- one; two\nSELECT 1", ["SELECT 1"]),
        ("/* a /* nested; */ b; */ SELECT 1; x", ["SELECT 1", "x"]),
        ("DO $$ BEGIN; END $$; x", ["DO $$ BEGIN; END $$", "x"]),
        ("DO $a$ $$ ; $b$ ; $a$; x", ["DO $a$ $$ ; $b$ ; $a$", "x"]),
        ("SELECT a$1$ FROM t; x", ["SELECT a$1$ FROM t", "x"]),
        (" ;; ; ", []),
    ],
)
def test_only_a_semicolon_outside_of_everything_ends_a_statement(sql: str, expected: list[str]) -> None:
    assert texts(sql) == expected


def test_a_statement_knows_its_line_and_its_first_line() -> None:
    second = split("SELECT 1;\n\n-- why\nCREATE TABLE t (\n  a int\n);")[1]
    assert (second.line, second.first_line) == (4, "CREATE TABLE t (")


@pytest.mark.parametrize("sql", ["x;\nx $$ open; x", "x;\n/* open; x", "x;\n/* a /* b */ open"])
def test_what_is_never_closed_is_refused_with_its_line(sql: str) -> None:
    with pytest.raises(StatementError, match=r"line 2: .* is never closed"):
        split(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "commit",
        "ROLLBACK",
        "START TRANSACTION",
        "SAVEPOINT a",
        "VACUUM t",
        "PREPARE TRANSACTION 'a'",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
    ],
)
def test_what_would_leave_the_runners_transaction_is_refused_with_its_line(sql: str) -> None:
    with pytest.raises(StatementError, match="line 2"):
        require_one_transaction(split(f"SELECT 1;\n{sql};"))


def test_words_in_strings_and_bodies_are_not_taken_for_commands() -> None:
    require_one_transaction(split("SELECT 'COMMIT; CONCURRENTLY'; DO $$ BEGIN COMMIT; END $$; -- VACUUM;"))


def test_the_committed_migrations_are_fit_for_the_runner() -> None:
    for path in SQL.glob("*/up.sql"):
        statements = split(path.read_text(encoding="utf-8"))
        require_one_transaction(statements)
        assert len(statements) > 1


PIECES = st.sampled_from(
    [
        "SELECT 1",
        "'a;b'",
        "$$ ; $$",
        "-- c;\n",
        "/* ; */",
        '"i;"',
        "E'\\';'",
        " ",
        "\n",
        "x",
        "$t$;$t$",
        "''''",
    ]
)


@given(
    st.lists(st.lists(PIECES, min_size=1, max_size=5).map(lambda parts: " ".join([*parts, "z"])), max_size=5)
)
def test_statements_joined_by_semicolons_come_apart_as_they_were(parts: list[str]) -> None:
    assert len(split(";\n".join(parts))) == len(parts)
