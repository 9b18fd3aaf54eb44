"""checkov over every manifest of all settings: what fails is skipped for a reason; what is broken fails."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from model.monitoring_parts import PORTS
from tests.checkout import CHECKOUT
from tests.scanners.broken import BROKEN, Broken
from tests.scanners.conftest import BIN, DEPLOYED, GOLDEN

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = CHECKOUT / ".checkov.yaml"
SKIPPED = yaml.safe_load(SETTINGS.read_text())["skip-check"]
NO_CPU_LIMIT, SECRETS_IN_VARIABLES = "CKV_K8S_11", "CKV_K8S_35"
READ_VARIABLES = r"(deployment-(backend|checker|fluentd)|cronjob-.+-job|job-(migration|verification))\.yaml"
"""Whose contract is variables: the application, the guide's fluentd, and what of ours reads the same."""
PODS = ("cronjob-", "deployment-", "job-")

Judged = dict[str, dict[str, list[tuple[str, str]]]]


def _checks(judged: Judged, name: str) -> set[str]:
    return {check for check, _ in judged[name]["failed"]}


@pytest.mark.parametrize("name", DEPLOYED)
def test_what_checkov_finds_is_skipped_for_a_reason(judged: Judged, name: str) -> None:
    assert [found for found in judged[name]["failed"] if found[0] not in SKIPPED] == []


def test_no_skip_is_left_over_and_each_has_a_reason(judged: Judged) -> None:
    assert set(SKIPPED) == set().union(*(_checks(judged, name) for name in DEPLOYED))
    assert re.findall(r"^  - (\S+)  # \S.{20,}$", SETTINGS.read_text(), re.MULTILINE) == SKIPPED


def test_only_where_the_contract_says_so_are_secrets_in_variables(judged: Judged) -> None:
    files = {
        file for name in DEPLOYED for check, file in judged[name]["failed"] if check == SECRETS_IN_VARIABLES
    }
    assert [file for file in files if not re.fullmatch(READ_VARIABLES, file)] == []


@pytest.mark.parametrize("name", ["staging", "operator", "everything"])
def test_monitoring_adds_no_finding(judged: Judged, name: str) -> None:
    files = {f"deployment-{part}.yaml" for part in PORTS}
    seen = {file for _, file in judged[name]["passed"]}
    assert files & seen, "no part of monitoring was judged"
    assert {check for check, file in judged[name]["failed"] if file in files} == {NO_CPU_LIMIT}
    assert _checks(judged, name) == _checks(judged, "small"), "without monitoring it finds the same"


@pytest.mark.parametrize("name", DEPLOYED)
def test_checkov_has_read_every_manifest_and_judged_all_pods(
    judged: Judged, folders: Path, name: str
) -> None:
    assert judged[name]["unread"] == []
    pods = {file.name for file in (folders / name).iterdir() if file.name.startswith(PODS)}
    assert pods
    assert pods <= {file for _, file in judged[name]["passed"]}


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_a_field_of_the_hardening_that_is_missing_is_found(judged: Judged, change: Broken) -> None:
    assert _checks(judged, str(change)) - _checks(judged, "whole") == change.checks


def _checkov(folder: Path) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [BIN / "checkov", "--directory", folder]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def test_the_command_alone_says_the_same(folders: Path) -> None:
    """It reads `.checkov.yaml` by itself, from the folder that it is started in."""
    assert (good := _checkov(GOLDEN)).returncode == 0, good.stdout
    bad = _checkov(folders / str(BROKEN[0]))
    assert bad.returncode == 1, bad.stdout + bad.stderr
    assert "CKV_K8S_22" in bad.stdout
