"""An `up` that is cut off: what the README says to do next ends green, and going back is real."""

from __future__ import annotations

import re
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.twin.conftest import commit
from tests.twin.stack import begins

if TYPE_CHECKING:
    from pathlib import Path

    from tests.twin.stack import Stack

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
JOB = "kubernetes:batch/v1:Job"


def _locked(event: dict[str, Any]) -> bool:
    """The first thing an engine says is said under its lock of the state."""
    return "preludeEvent" in event


# What `up` is doing when it is killed; the building of an image is killed in test_building.py.
STAGES = {
    "migration running": begins(JOB, "migration"),
    "gate running": begins(JOB, "verification"),
    "lock taken": _locked,
    "rollout waiting": begins(DEPLOYMENT, "backend"),
}
IN_EVERY_TEST = ("migration running",)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some of each matrix in every run, all of them under `--soak`."""
    if "killed_at" in metafunc.fixturenames:
        soak = metafunc.config.getoption("--soak")
        metafunc.parametrize("killed_at", STAGES if soak else IN_EVERY_TEST)


def _log_level(stack: Stack) -> str:
    container = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]["containers"][0]
    return {item["name"]: item.get("value", "") for item in container["env"]}["LOG_LEVEL"]


@pytest.mark.soak("every run kills one, which is worse")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_after_an_interrupted_update_the_previous_commit_really_runs_again(
    scratch_clone: Stack, tmp_path: Path, number: signal.Signals
) -> None:
    previous = scratch_clone.run("git", "rev-parse", "HEAD").output.strip()
    scratch_clone.set("orka-ppm:backend.log-level", "DEBUG")
    commit(scratch_clone, "a change that is cut off")
    stage = begins(DEPLOYMENT, "backend")
    cut = scratch_clone.interrupted_up(stage, number, tmp_path / "events.json", settle_s=1.0)
    assert cut.code != 0, cut
    assert _log_level(scratch_clone) == "DEBUG", "it was cut off too early to prove anything"
    assert scratch_clone.run("git", "checkout", "-q", previous).code == 0
    back = scratch_clone.up()
    assert back.code == 0, back
    assert _log_level(scratch_clone) == "INFO"


def test_after_a_killed_up_cancel_and_up_end_green(
    scratch_clone: Stack, tmp_path: Path, killed_at: str
) -> None:
    scratch_clone.set("orka-ppm:backend.log-level", "WARNING")
    scratch_clone.set("orka-ppm:migration.deadline-seconds", "121")
    scratch_clone.interrupted_up(STAGES[killed_at], signal.SIGKILL, tmp_path / "events.json")
    locked = scratch_clone.up()
    assert locked.code != 0
    assert "locked" in locked.output, locked
    assert scratch_clone.pulumi("cancel", "--yes").code == 0
    healed = scratch_clone.up()
    assert healed.code == 0, healed
    assert _log_level(scratch_clone) == "WARNING"


@pytest.mark.soak("destroys and makes the stack anew")
def test_an_object_whose_creation_was_killed_is_taken_over_by_one_up(
    scratch_clone: Stack, tmp_path: Path
) -> None:
    gone = scratch_clone.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone
    stage = begins(DEPLOYMENT, "backend")
    scratch_clone.interrupted_up(stage, signal.SIGKILL, tmp_path / "events.json", settle_s=1.0)
    _await_deployment(scratch_clone)
    assert scratch_clone.pulumi("cancel", "--yes").code == 0
    refused = scratch_clone.up()
    assert refused.code != 0
    # Whichever of the objects that were begun and are not in the state the engine comes to first.
    assert re.search(r'deployments\.apps "(backend|kube-metrics)" already exists', refused.output), refused
    scratch_clone.set("orka-ppm:cluster.take-over", "true")
    taken = scratch_clone.up()
    assert taken.code == 0, taken
    scratch_clone.set("orka-ppm:cluster.take-over", "false")
    unchanged = scratch_clone.up()
    assert unchanged.code == 0, unchanged


def _await_deployment(stack: Stack) -> None:
    deadline = time.monotonic() + 10
    command = ("kubectl", "--namespace", "staging", "get", "deployment", "backend")
    while stack.run(*command).code != 0:
        assert time.monotonic() < deadline, "it was killed before the object was there"
        time.sleep(0.2)
