"""A shell without the database's address reads rows inside the cluster, by a Job that leaves nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ops.checks.gate_job import MARK
from tests.twin.conftest import PATHS
from twin.deploy import check_user

if TYPE_CHECKING:
    from tests.twin.stack import Stack

ROWS = {"event-row", "embeddings-current"}
SINCE = ("logs", "cron-jobs")


def _checks(stack: Stack, *arguments: str) -> dict[str, Any]:
    user = {name: value for name, value in check_user(PATHS).items() if name != "ORKA_CHECK_DATABASE_URL"}
    asker = type(stack)(stack.folder, {**stack.environment, **user})
    run = asker.run("bash", "-c", f".venv/bin/ops checks --json {' '.join(arguments)} 2>/dev/null")
    return dict(json.loads(run.output))


def _jobs_of_the_shell(stack: Stack) -> list[str]:
    jobs = json.loads(stack.kubectl("get", "jobs", "--output", "json"))["items"]
    return [
        job["metadata"]["name"]
        for job in jobs
        if MARK in job["metadata"].get("annotations", {}) and "deletionTimestamp" not in job["metadata"]
    ]


def test_the_rows_are_read_in_the_cluster_and_the_job_is_gone(deployed: Stack) -> None:
    found = _checks(deployed)
    rows = {check["name"]: check for check in found["checks"] if check["kind"] == "database"}
    assert rows.keys() >= ROWS, found["not_run"]
    assert rows["event-row"]["verdict"] == "passed", rows
    assert {check["url"] for check in rows.values()} == {"database, in the cluster"}
    # A pod or a job that another test took a service from has told of it since.
    red = {check["name"]: check["reason"] for check in found["checks"] if check["verdict"] != "passed"}
    assert red.keys() <= {check["name"] for check in found["checks"] if check["kind"] in SINCE}, red
    assert _jobs_of_the_shell(deployed) == []


def test_without_the_job_they_are_listed_as_not_run(deployed: Stack) -> None:
    found = _checks(deployed, "--no-job")
    assert {entry["name"] for entry in found["not_run"]} >= ROWS


@pytest.mark.soak("two rollouts")
def test_rows_that_the_release_loses_turn_the_shells_run_red(stack: Stack) -> None:
    gate = stack.kubectl("get", "configmaps", "--output", "name")
    name = next(line for line in gate.splitlines() if "/verification-" in line)
    checks = json.loads(json.loads(stack.kubectl("get", name, "--output", "json"))["data"]["checks.json"])
    assert {check["name"] for check in checks["database"]} >= ROWS
    stack.kubectl("set", "env", "deployment/backend", "ORKA_FAIL_ERRORS=1.0")
    stack.kubectl("rollout", "status", "deployment/backend", "--timeout=120s")
    try:
        found = _checks(stack)
    finally:
        stack.kubectl("rollout", "undo", "deployment/backend")
        stack.kubectl("rollout", "status", "deployment/backend", "--timeout=120s")
    rows = {check["name"]: check for check in found["checks"] if check["kind"] == "database"}
    assert rows["event-row"]["verdict"] == "inconclusive", rows
    assert found["verdict"] == "failed"
    assert _jobs_of_the_shell(stack) == []
