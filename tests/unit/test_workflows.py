"""Workflows cannot be run here: they are audited, and what they promise about secrets is read out of them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.cli import AREAS
from tests.checkout import CHECKOUT

FOLDER = CHECKOUT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
AUDIT = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--no-progress", "--strict-collection"]


def _audit(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*AUDIT, *map(str, files)], capture_output=True, text=True, timeout=60, check=False)


def _jobs(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / name).read_text())["jobs"])


def test_the_audit_finds_nothing() -> None:
    done = _audit(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [("pull_request:", "pull_request_target:"), ("@3d3c42e5aac5ba805825da76410c181273ba90b1", "@main")],
)
def test_the_audit_would_find_a_dangerous_trigger_and_a_moving_action(
    before: str, after: str, tmp_path: Path
) -> None:
    broken = tmp_path / "preview.yml"
    broken.write_text((FOLDER / "preview.yml").read_text().replace(before, after))
    assert _audit(broken).returncode != 0


def test_every_action_is_an_official_one_pinned_by_commit() -> None:
    used = [line.strip() for file in WORKFLOWS for line in file.read_text().splitlines() if "uses:" in line]
    assert used
    for line in used:
        assert re.search(r"uses: (actions|pulumi)/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_a_fork_gets_no_secret() -> None:
    assert "secrets." not in (FOLDER / "ci.yml").read_text()
    for job in _jobs("preview.yml").values():
        assert job["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
        assert job["environment"] == "staging-preview"


def test_no_workflow_has_a_right_that_it_does_not_name() -> None:
    for file in WORKFLOWS:
        assert yaml.safe_load(file.read_text())["permissions"] == {}
    assert _jobs("ci.yml")["check"]["permissions"] == {"contents": "read"}
    assert _jobs("preview.yml")["preview"]["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_the_commands_that_a_workflow_runs_are_there() -> None:
    run = {area for file in WORKFLOWS for area in re.findall(r"\.venv/bin/ops ([a-z-]+)", file.read_text())}
    assert "preview" in run
    assert run <= AREAS.keys()
    assert not [file.name for file in WORKFLOWS if "python -m ops" in file.read_text()]
