"""Going back as the README says: in a clone with the whole stack file committed, secrets included."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.twin.conftest import commit

if TYPE_CHECKING:
    from tests.twin.stack import Stack

WORKLOADS = (
    ("deployment", "backend"),
    ("deployment", "frontend"),
    ("cronjob", "anomaly-detection-job"),
    ("cronjob", "embedding-generation-job"),
    ("cronjob", "model-training-job"),
    ("cronjob", "scheduled-reports-job"),
)


def _specs(stack: Stack) -> dict[str, Any]:
    """The specs of everything that runs the application, without auto-names."""
    text = json.dumps({name: stack.manifest(kind, name)["spec"] for kind, name in WORKLOADS})
    objects = json.loads(stack.kubectl("get", "configmaps,secrets", "--output", "json"))["items"]
    for item in objects:
        name = item["metadata"]["name"]
        base, _, suffix = name.rpartition("-")
        if len(suffix) == 8:
            text = text.replace(name, base)
    return dict(json.loads(text))


def _gates(stack: Stack) -> set[str]:
    jobs = json.loads(stack.kubectl("get", "jobs", "--output", "json"))["items"]
    return {job["metadata"]["uid"] for job in jobs if job["metadata"]["name"].startswith("verification")}


def test_the_previous_commit_brings_back_the_previous_state(scratch_clone: Stack) -> None:
    first_up = scratch_clone.up()
    assert first_up.code == 0, first_up
    before, first = _specs(scratch_clone), scratch_clone.outputs()
    previous = scratch_clone.run("git", "rev-parse", "HEAD").output.strip()

    scratch_clone.set("orka-ppm:backend.log-level", "DEBUG")
    commit(scratch_clone, "a new setting")
    assert scratch_clone.up().code == 0
    assert _specs(scratch_clone) != before
    assert scratch_clone.outputs()["release_id"] != first["release_id"]
    gates = _gates(scratch_clone)

    assert scratch_clone.run("git", "checkout", "-q", previous).code == 0
    assert scratch_clone.refresh().code == 0
    back = scratch_clone.up()
    assert back.code == 0, back
    assert _specs(scratch_clone) == before
    assert scratch_clone.outputs() == first
    assert _gates(scratch_clone) - gates, "the gate did not run on the way back"
