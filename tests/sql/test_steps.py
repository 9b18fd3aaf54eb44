"""Migrations of several steps: what each kind does, and where a killed run goes on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from model.plan import PlanError, plan_from_files
from ops.migrate import lock_class
from ops.migrate.outcome import MigrateError
from ops.migrate.scripts import read_scripts
from ops.migrate.statements import split
from tests.sql.further_migrations import FINISHED, ROWS, STATE, STEPS, with_steps
from tests.sql.kills import kill_asleep
from tests.sql.support import Database, ops

if TYPE_CHECKING:
    from pathlib import Path


def states(database: Database) -> dict[str, tuple[str, int, int]]:
    return {
        row[0]: row[1:]
        for row in database.rows(
            "SELECT step, state, attempt, rows_done FROM orka_migrations.steps WHERE version = '024'"
        )
    }


def test_the_steps_run_in_order_and_the_ledger_says_what_each_did(big: Database, tmp_path: Path) -> None:
    folder = str(with_steps(tmp_path))
    run = ops(big, "apply", "--sql-dir", folder, "--batch-size", "1000", "--batch-pause", "0", "--json")
    assert (run.code, run.json["applied"]) == (0, ["024"])
    assert big.rows(STATE) == [FINISHED]
    assert states(big) == {
        "10_columns": ("done", 1, 0),
        "20_fill": ("done", 1, ROWS),
        "30_index": ("done", 1, 0),
        "40_check": ("done", 1, 0),
    }
    assert big.value("SELECT statements FROM orka_migrations.ledger WHERE version = '024'") == 4
    again = ops(big, "apply", "--sql-dir", folder, "--json")
    assert (again.code, again.json["outcome"]) == (0, "nothing to do")


def test_progress_tells_steps_rows_and_time_as_lines_of_json(big: Database, tmp_path: Path) -> None:
    run = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path)), "--batch-size", "1000", "--json")
    told = [json.loads(line) for line in run.err.splitlines()]
    assert [line["rows"] for line in told if line["event"] == "batch"] == [1000, 2000, 2500]
    done = [line for line in told if line.get("state") == "done"]
    assert [(line["step"], line["steps_done"], line["steps_left"]) for line in done] == [
        (name[:-4], number, 4 - number) for number, name in enumerate(STEPS, start=1)
    ]
    assert all(line["elapsed_s"] >= 0 for line in told)


def test_progress_is_plain_text_where_the_result_is(big: Database, tmp_path: Path) -> None:
    run = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path)))
    assert re.search(r"s, 1 of 4 steps\] 024 20_fill: 2500 rows", run.err)


# Where a run is killed: (the step whose text is replaced, its text, steps done before).
SLEEP = "SELECT pg_sleep(600)"
KILLS = {
    "in a transaction": ("step_10", f"{STEPS['10_columns.sql']}{SLEEP};", 0),
    "in a batch": (
        "step_20",
        STEPS["20_fill.sql"].replace("doubled = n * 2", "doubled = n * 2 + 0 * slow(n)"),
        1,
    ),
    "in an index build": (
        "step_30",
        STEPS["30_index.sql"].replace("(doubled)", "(slow(doubled))"),
        2,
    ),
    "in the last step": ("step_40", f"{STEPS['40_check.sql']}{SLEEP};", 3),
}
SLOW = """
    CREATE FUNCTION public.slow(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE
    AS $$ BEGIN IF n > 1500 THEN PERFORM pg_sleep(600); END IF; RETURN 0; END $$
"""


@pytest.mark.parametrize(
    ("where", "flag"),
    [
        ("in a transaction", "--statement-timeout"),
        ("in a batch", "--batch-timeout"),
        ("in an index build", "--concurrent-timeout"),
    ],
)
def test_a_statement_that_took_too_long_is_told_with_the_limit_that_ended_it(
    big: Database, tmp_path: Path, where: str, flag: str
) -> None:
    step, text, _ = KILLS[where]
    with big.connect() as connection:
        connection.execute(SLOW.encode())
    run = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path, **{step: text})), flag, "0.2")
    assert (run.code, "57014" in run.err) == (15, True)
    assert run.err.splitlines()[-1] == f"  give a larger {flag} (now 0.2 s) and run again"


@pytest.mark.parametrize("where", KILLS)
def test_after_a_kill_the_next_run_goes_on_at_the_right_step(
    big: Database, tmp_path: Path, where: str
) -> None:
    step, text, done = KILLS[where]
    with big.connect() as connection:
        connection.execute(SLOW.encode())
    (tmp_path / "slow").mkdir()
    slow = with_steps(tmp_path / "slow", **{step: text})
    kill_asleep(big, "apply", "--batch-size", "500", "--sql-dir", str(slow))
    before = states(big)
    assert [state for state, *_ in before.values()].count("done") == done
    if where == "in a batch":
        assert before["20_fill"] == ("running", 1, 1500), "the full batches before it stay"
    run = ops(
        big, "apply", "--sql-dir", str(with_steps(tmp_path)), "--lock-wait", "30", "--batch-size", "500"
    )
    assert run.code == 0, run.err
    assert big.rows(STATE) == [FINISHED]
    after = states(big)
    assert all(after[name] == entry for name, entry in before.items() if entry[0] == "done"), "not run again"
    if where == "in a batch":
        assert after["20_fill"] == ("done", 2, ROWS)
    if where == "in an index build":
        assert big.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        assert after["30_index"][:2] == ("done", 2)


def test_an_invalid_index_of_that_name_is_replaced_and_a_valid_one_is_not_trusted(
    big: Database, tmp_path: Path
) -> None:
    with big.connect() as connection:
        connection.execute(b"CREATE INDEX big_doubled ON public.audit_big (n)")
        connection.execute(
            b"UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'big_doubled'::regclass"
        )
    folder = str(with_steps(tmp_path))
    assert ops(big, "apply", "--sql-dir", folder).code == 0
    assert "(doubled)" in big.value("SELECT pg_get_indexdef('public.big_doubled'::regclass)")


def test_a_foreign_index_of_that_name_stops_the_run(big: Database, tmp_path: Path) -> None:
    with big.connect() as connection:
        connection.execute(b"CREATE INDEX big_doubled ON public.audit_big (n)")
    run = ops(big, "apply", "--sql-dir", str(with_steps(tmp_path)))
    assert run.code == 15
    assert "42P07" in run.err
    assert "024_big/30_index.sql line 2 failed" in run.err


@pytest.mark.parametrize("name", ["10_columns.sql", "30_index.sql"])
def test_any_file_edited_after_it_was_applied_is_refused(big: Database, tmp_path: Path, name: str) -> None:
    folder = with_steps(tmp_path)
    assert ops(big, "apply", "--sql-dir", str(folder)).code == 0
    (folder / "024_big" / name).write_text(STEPS[name] + "-- more\n")
    run = ops(big, "apply", "--sql-dir", str(folder))
    assert run.code == 12
    assert f"024_big/{name} was changed" in run.err


def test_a_done_step_edited_while_the_migration_is_half_way_is_refused_and_the_failing_one_may_be_repaired(
    big: Database, tmp_path: Path
) -> None:
    folder = with_steps(tmp_path, step_40="-- step: tx\nSELECT 1 / 0;\n")
    assert ops(big, "apply", "--sql-dir", str(folder)).code == 15
    (folder / "024_big" / "10_columns.sql").write_text(STEPS["10_columns.sql"] + "-- more\n")
    assert ops(big, "apply", "--sql-dir", str(folder)).code == 12
    for name in ("10_columns.sql", "40_check.sql"):
        (folder / "024_big" / name).write_text(STEPS[name])
    assert ops(big, "apply", "--sql-dir", str(folder)).code == 0
    assert big.rows(STATE) == [FINISHED]


def test_a_ledger_of_the_program_before_steps_is_read_and_upgraded_in_place(
    big: Database, tmp_path: Path
) -> None:
    with big.connect() as connection:
        connection.execute(b"DROP TABLE orka_migrations.steps")
    run = ops(big, "apply", "--json")
    assert (run.code, run.json["outcome"]) == (0, "nothing to do")
    assert big.value("SELECT to_regclass('orka_migrations.steps')::text") is None, "nothing to do, no DDL"
    run = ops(big, "apply", "--json", "--sql-dir", str(with_steps(tmp_path)))
    assert (run.code, run.json["applied"], run.json["already"]) == (0, ["024"], ["023"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("10_a.sql", "SELECT 1;", "024_b/10_a.sql: the first line says the kind"),
        ("10_a.sql", "-- step: later\n", "tx | concurrent | backfill"),
        ("a.sql", "-- step: tx\n", "NN_name.sql"),
        ("up.sql", "SELECT 1;", "holds up.sql and also 024_b/20_b.sql"),
    ],
)
def test_a_step_that_is_not_in_order_is_refused_with_the_reason(name: str, text: str, said: str) -> None:
    files = {
        "024_b/20_b.sql": "-- step: tx\n",
        f"024_b/{name}": text,
        "contract.yaml": "",
        "behaviour.yaml": "",
    }
    with pytest.raises(PlanError, match=re.escape(said)):
        plan_from_files(files)


def test_what_only_helps_an_adoption_is_no_step_and_is_read_before_the_first_change() -> None:
    files = {
        "024_b/up.sql": "SELECT 1;",
        "024_b/adopt/10_a.sql": "-- step: tx\n-- include: adopt/_part.sql\n",
        "024_b/adopt/_part.sql": "SELECT 2;",
        "024_b/adopt/rehearsal.sql": "SELECT 3;",
        "024_b/adopt/undo.sql": "\n\n-- include: adopt/_part.sql\nSELECT 4;\n-- include: up.sql\nSELECT 5;",
        "024_b/adopt/down.sql": "SELECT 6;",
        "contract.yaml": "",
        "behaviour.yaml": "",
    }
    plan = plan_from_files(files)
    assert [step.name for step in plan.migrations[0].adoption] == ["adopt/10_a"]
    assert plan.migrations[0].rehearsal == "024_b/adopt/rehearsal.sql"
    texts = {path: [one.text for one in script] for path, script in read_scripts(plan).items()}
    assert texts["024_b/adopt/10_a.sql"] == ["SELECT 2"]
    assert texts["024_b/adopt/rehearsal.sql"] == ["SELECT 3"]
    assert texts["024_b/adopt/undo.sql"] == ["SELECT 2", "SELECT 4", "SELECT 1", "SELECT 5"]
    with pytest.raises(MigrateError, match=r"rehearsal\.sql, line 1: COMMIT has no place"):
        read_scripts(plan_from_files({**files, "024_b/adopt/rehearsal.sql": "COMMIT;"}))


@pytest.mark.parametrize(
    ("step", "text", "said"),
    [
        ("30", "-- step: concurrent\nSELECT 1;", "line 2: a concurrent step holds"),
        ("30", "-- step: concurrent\nCREATE INDEX CONCURRENTLY ON t (a);", "line 2: a concurrent step holds"),
        ("20", "-- step: backfill\nDO $$ BEGIN END $$;", "a backfill ends with"),
        ("10", "-- step: tx\nCOMMIT;", "line 2: COMMIT has no place"),
        ("10", "-- step: tx\n-- include: no.sql\n", "line 2: there is no 024_big/no.sql"),
    ],
)
def test_a_statement_that_its_kind_cannot_run_is_refused_before_the_first_change(
    tmp_path: Path, step: str, text: str, said: str
) -> None:
    run = ops(None, "plan", "--sql-dir", str(with_steps(tmp_path, **{f"step_{step}": text})))
    assert run.code == 11
    assert said in run.err


def test_the_plan_shows_every_step_with_its_kind_and_locks(tmp_path: Path) -> None:
    run = ops(None, "plan", "--sql-dir", str(with_steps(tmp_path)), "--json")
    last = run.json["migrations"][-1]
    assert [(step["name"], step["kind"], step["locks"]) for step in last["steps"]] == [
        ("10_columns", "tx", ["ACCESS EXCLUSIVE on public.audit_big"]),
        ("20_fill", "backfill", ["ROW EXCLUSIVE on public.audit_big"]),
        ("30_index", "concurrent", ["SHARE UPDATE EXCLUSIVE on public.audit_big"]),
        ("40_check", "tx", ["ACCESS EXCLUSIVE on public.audit_big"]),
    ]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE INDEX i ON public.t (a)", ["SHARE on public.t"]),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", ["SHARE UPDATE EXCLUSIVE on t"]),
        (
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            ["SHARE ROW EXCLUSIVE on t"],
        ),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", ["SHARE UPDATE EXCLUSIVE on t"]),
        ("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (a)", ["SHARE ROW EXCLUSIVE on t"]),
        ("DROP POLICY p ON t", ["ACCESS EXCLUSIVE on t"]),
        ("SELECT 1", []),
        ("CREATE TABLE t (a int); CREATE INDEX i ON t (a)", []),
        ("DO $$ BEGIN END $$", ["not known from the file: 1 DO blocks"]),
    ],
)
def test_the_lock_of_a_statement_is_read_off_its_form(statement: str, expected: list[str]) -> None:
    assert lock_class.locks(split(statement)) == expected
