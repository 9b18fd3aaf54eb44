"""The migrations keep the rules, and each rule has a file that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model.plan import REVIEW, load_plan
from ops.migrate.lint import lint
from ops.migrate.outcome import MigrateError
from ops.migrate.review import as_yaml, review
from ops.migrate.squawk import CONFIG, squawk
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path

SQL = CHECKOUT / "sql"
CLOSED = "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY; ALTER TABLE public.t FORCE ROW LEVEL SECURITY;"
TABLE = f"CREATE TABLE public.t (id uuid);\n{CLOSED}\n"
PINNED = "LANGUAGE sql SET search_path = '' AS $$ SELECT 1 $$;"
DEFINER = f"CREATE FUNCTION f() RETURNS int SECURITY DEFINER {PINNED}"
NOBODY = "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"


def rules(sql: str) -> list[str]:
    return [finding.rule for finding in lint("x.sql", sql)]


@pytest.mark.parametrize(
    ("rule", "broken", "kept"),
    [
        ("table-row-security", "CREATE TABLE public.t (id uuid);", TABLE),
        ("table-row-security", TABLE.replace(" FORCE ", " NO FORCE "), TABLE),
        ("table-row-security", TABLE.replace("ENABLE ROW", "-- ENABLE ROW"), TABLE),
        (
            "index-concurrently",
            "CREATE UNIQUE INDEX i ON public.t (id);",
            TABLE + "CREATE INDEX i ON public.t (id);",
        ),
        (
            "policy-roles",
            "CREATE POLICY p ON t USING (true);",
            "CREATE POLICY p ON t TO orka_app USING (true);",
        ),
        ("policy-roles", "CREATE POLICY p ON t TO PUBLIC USING (true);", "CREATE POLICY p ON t TO orka_app;"),
        (
            "policy-roles",
            "CREATE POLICY p ON t TO orka_app, anon USING (true);",
            "CREATE POLICY p ON t TO a;",
        ),
        (
            "policy-roles",
            "DO $$ BEGIN EXECUTE format('CREATE POLICY %I ON t FOR %s', a, b) || ' USING (x)'; END $$;",
            "DO $$ BEGIN EXECUTE format('CREATE POLICY %I ON t FOR %s TO %s', a, b, c); END $$;",
        ),
        (
            "function-search-path",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;",
            f"CREATE FUNCTION f() RETURNS int {PINNED}",
        ),
        (
            "function-search-path",
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    RETURN NEW;\nEND $$;",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql\nRETURN 1;",
        ),
        (
            "definer-execute",
            DEFINER,
            f"{DEFINER} REVOKE ALL ON FUNCTION f() FROM PUBLIC;",
        ),
        (
            "definer-execute",
            f"{DEFINER} {NOBODY}",
            f"{NOBODY} {DEFINER}",
        ),
        (
            "grant-strangers",
            "GRANT SELECT ON public.t TO orka_app, anon;",
            "GRANT SELECT ON public.t TO orka_app;",
        ),
        (
            "grant-strangers",
            "DO $$ BEGIN GRANT SELECT ON public.t TO PUBLIC; END $$;",
            "GRANT orka_app TO x;",
        ),
        (
            "grant-truncate",
            "GRANT SELECT, TRUNCATE ON public.t TO orka_app;",
            "GRANT SELECT ON t TO orka_app;",
        ),
        ("grant-truncate", "GRANT ALL ON public.t TO orka_app;", "GRANT USAGE ON SCHEMA s TO orka_app;"),
    ],
)
def test_each_rule_of_our_own_finds_what_breaks_it_and_nothing_else(
    rule: str, broken: str, kept: str
) -> None:
    assert set(rules(broken)) == {rule}
    assert rule not in rules(kept)


def test_a_finding_names_file_line_and_remedy() -> None:
    (finding,) = lint("024_x/up.sql", "SELECT 1;\n\n-- a comment\nGRANT ALL ON public.t TO orka_app;")
    assert str(finding) == "024_x/up.sql line 4: grant-truncate: name the verbs; nobody may TRUNCATE"


def test_the_rules_see_into_the_migration_itself() -> None:
    path = "023_ai_empowered_audit_trail/up.sql"
    sql = (SQL / path).read_text()
    tables = sql.count(" FORCE ROW LEVEL SECURITY;")
    assert tables == 10
    assert len(lint(path, sql.replace(" FORCE ROW", " NO FORCE ROW"))) == tables
    assert len(lint(path, sql.replace("SET search_path = ''", ""))) == 7
    assert {one.rule for one in lint(path, sql.replace(" TO orka_app", " TO PUBLIC"))} == {"grant-strangers"}


def test_squawk_runs_over_the_files_with_our_settings(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text((SQL / CONFIG).read_text())
    (tmp_path / "up.sql").write_text("SELECT 1;\nALTER TABLE public.t ADD COLUMN c int NOT NULL;\n")
    (found,) = squawk(tmp_path, ["up.sql"])
    assert (found.path, found.line, found.rule) == ("up.sql", 2, "squawk adding-required-field")


def test_a_squawk_that_cannot_run_is_no_clean_bill(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("excluded_rules = 3\n")
    (tmp_path / "up.sql").write_text("SELECT 1;\n")
    with pytest.raises(MigrateError, match="squawk failed"):
        squawk(tmp_path, ["up.sql"])


def test_the_migrations_have_no_finding_and_the_review_is_current() -> None:
    reviewed = review(SQL)
    assert [finding for found in reviewed.values() for finding in found["lint"]] == []
    assert (SQL / REVIEW).read_text() == as_yaml(reviewed), "python -m ops.migrate.review"
    assert list(reviewed) == [migration.version for migration in load_plan(SQL).migrations]


def test_the_way_for_tables_made_by_hand_keeps_our_own_rules_but_one() -> None:
    plan = load_plan(SQL)
    paths = [step.path for migration in plan.migrations for step in migration.adoption]
    found = [finding for path in paths for finding in lint(path, plan.files[path])]
    # Its working tables lie in schemas that are the admin's alone.
    assert paths
    closed = (" on orka_new.", " on orka_original.")
    assert [
        str(one)
        for one in found
        if not (one.rule == "table-row-security" and any(schema in one.remedy for schema in closed))
    ] == []
