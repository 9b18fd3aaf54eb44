"""A migration that says that older programs do not go with it, and the older program that reads this."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from model.plan import PlanError, plan_from_files
from tests.sql.further_migrations import with_024
from tests.sql.support import Database, ops

if TYPE_CHECKING:
    from pathlib import Path

REASON = "audit_bias_metrics counts per day now"
DECLARED = f"-- Why it is so.\n-- incompatible-with-older: {REASON}\nSELECT 1;\n"
COLUMNS = (
    "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'orka_migrations'"
    " AND table_name = 'ledger' AND column_name = 'incompatible_with_older'"
)
NARROW = b"ALTER TABLE orka_migrations.ledger DROP COLUMN incompatible_with_older"


def migrate_further(database: Database, folder: Path, text: str) -> None:
    """What the newer program does."""
    run = ops(database, "apply", "--json", "--sql-dir", str(with_024(folder, text)))
    assert (run.code, run.json["applied"]) == (0, ["024"]), run.err


@pytest.mark.parametrize("verb", ["apply", "verify", "status"])
def test_an_older_program_refuses_what_says_that_it_does_not_go_with_it(
    migrated: Database, tmp_path: Path, verb: str
) -> None:
    migrate_further(migrated, tmp_path, DECLARED)
    with migrated.connect() as connection:
        # Else the comparison itself would find something, and not the declaration.
        connection.execute(b"ALTER TABLE public.audit_bias_metrics ADD COLUMN day date")
        before = connection.execute(b"SELECT pg_current_xact_id()::text::bigint").fetchone()
        run = ops(migrated, verb)
        after = connection.execute(b"SELECT pg_current_xact_id()::text::bigint").fetchone()
    assert run.code == 11
    said = run.out + run.err
    for part in ("024 (next) is applied", REASON, "deploy a program that knows 024", "rollback --to 023"):
        assert part in said
    assert before is not None
    assert after is not None
    assert after[0] - before[0] == 1, "the run wrote nothing at all"


def test_without_a_declaration_the_older_program_goes_on(migrated: Database, tmp_path: Path) -> None:
    migrate_further(migrated, tmp_path, "-- older programs are welcome\nSELECT 1;\n")
    run = ops(migrated, "apply", "--json")
    assert (run.code, run.json["later"]) == (0, ["024"])
    assert ops(migrated, "verify").code == 0


def test_the_program_that_declares_it_is_not_refused_itself(migrated: Database, tmp_path: Path) -> None:
    migrate_further(migrated, tmp_path, DECLARED)
    run = ops(migrated, "apply", "--json", "--sql-dir", str(tmp_path / "sql"))
    assert (run.code, run.json["outcome"]) == (0, "nothing to do")


def test_the_ledger_of_an_earlier_program_is_read_as_it_is_and_widened_when_it_is_written(
    migrated: Database, tmp_path: Path
) -> None:
    with migrated.connect() as connection:
        connection.execute(NARROW)
    assert ops(migrated, "apply").code == 0
    assert migrated.value(COLUMNS) == 0, "who has nothing to apply changes nothing"
    migrate_further(migrated, tmp_path, DECLARED)
    reasons = "SELECT version, incompatible_with_older FROM orka_migrations.ledger ORDER BY 1"
    assert migrated.rows(reasons) == [("023", None), ("024", REASON)]
    assert ops(migrated, "apply").code == 11


def test_the_plan_shows_the_declaration_wherever_it_stands(tmp_path: Path) -> None:
    files = {"contract.yaml": "", "behaviour.yaml": "", "024_b/20_c.sql": f"-- step: tx\n{DECLARED}"}
    files["024_b/10_a.sql"] = "-- step: tx\nSELECT '-- incompatible-with-older: in a string';\n"
    assert plan_from_files(files).migrations[0].incompatible_with_older == REASON
    shown = ops(None, "plan", "--sql-dir", str(with_024(tmp_path, DECLARED))).out
    assert f"older programs refuse to work: {REASON}" in shown


def test_a_declaration_without_a_reason_is_refused() -> None:
    files = {"contract.yaml": "", "behaviour.yaml": "", "023_a/up.sql": "-- incompatible-with-older:\n"}
    with pytest.raises(PlanError, match=r"023_a/up.sql: incompatible-with-older says no reason"):
        plan_from_files(files)
