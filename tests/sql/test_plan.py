"""The plan: known from files alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from model.plan import PlanError, load_plan, plan_from_files
from tests.sql.support import SQL, ops

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "023_a/up.sql": "SELECT 1;",
    "024_b/up.sql": "SELECT 2;",
    "contract.yaml": "version: '024'",
    "behaviour.yaml": "",
}


def test_migrations_are_ordered_by_version_and_carry_the_checksum_of_their_bytes() -> None:
    plan = load_plan(SQL)
    assert [m.version for m in plan.migrations] == sorted(m.version for m in plan.migrations)
    for migration in plan.migrations:
        assert migration.sha256 == hashlib.sha256((SQL / migration.path).read_bytes()).hexdigest()
        assert plan.checksums[migration.path] == migration.sha256


def test_the_plan_holds_the_texts_and_their_checksums() -> None:
    plan = plan_from_files(FILES)
    assert plan.files == FILES
    assert set(plan.checksums) == set(FILES)
    assert (plan.latest, [m.name for m in plan.migrations]) == ("024", ["a", "b"])


def test_a_config_map_mounted_with_its_items_reads_as_the_same_plan(tmp_path: Path) -> None:
    plan = load_plan(SQL)
    data = tmp_path / "..2026"
    for item in plan.config_map_items:
        target = data / item["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(plan.config_map_data[item["key"]], encoding="utf-8")
    # As the kubelet lays it out: a hidden folder, and links to it.
    (tmp_path / "..data").symlink_to(data.name)
    for entry in data.iterdir():
        (tmp_path / entry.name).symlink_to(f"..data/{entry.name}")
    assert load_plan(tmp_path) == plan


def test_the_keys_of_the_config_map_are_allowed_and_distinct() -> None:
    plan = plan_from_files(FILES)
    assert len(plan.config_map_data) == len(FILES)
    assert all(set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-") for key in plan.config_map_data)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"contract.yaml": "", "behaviour.yaml": ""}, "there is no migration"),
        ({"023_a/up.sql": ""}, "contract.yaml is missing"),
        ({"023_a/up.sql": "", "contract.yaml": ""}, "behaviour.yaml is missing"),
        ({**FILES, "25_c/up.sql": ""}, "NNN_name"),
        ({**FILES, "025_C/up.sql": ""}, "NNN_name"),
        ({**FILES, "024_c/up.sql": ""}, "version 024 is already taken by b"),
        ({**FILES, "025_c/down.sql": ""}, "025_c/up.sql is missing: give one up.sql, or steps called"),
        ({**FILES, "025_c/up.sql": "", "025_c/10_a.sql": ""}, "holds up.sql and also 025_c/10_a.sql"),
        ({**FILES, "025_c/columns.sql": ""}, "a step's file is called NN_name.sql, as in 10_columns.sql"),
        ({**FILES, "025_c/10_a.sql": "SELECT 1;"}, "the first line says the kind: -- step: "),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused_with_the_reason(files: dict[str, str], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        plan_from_files(files)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    run = ops(None, "plan", "--sql-dir", str(tmp_path / "nowhere"))
    assert run.code == 11
    assert "nowhere is not a folder" in run.err


def test_the_plan_needs_no_database() -> None:
    run = ops(None, "plan", "--json")
    assert run.code == 0
    assert [m["version"] for m in run.json["migrations"]] == ["023"]
    assert run.json["migrations"][0]["statements"] > 50
