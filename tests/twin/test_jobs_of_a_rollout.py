"""With a rollout the named jobs run once, side by side, and the gate sees their effect: half a minute."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from model.jobs import FEATURES
from tests.twin.api import Api
from tests.twin.conftest import PATHS

if TYPE_CHECKING:
    from tests.twin.stack import Stack

WHOLE_RUN_S = 30


def _name_all(stack: Stack) -> None:
    for number, task in enumerate(FEATURES):
        stack.set(f"orka-ppm:verification.run-jobs[{number}]", task)


def test_every_named_job_has_run_and_the_gate_has_seen_its_effect_within_half_a_minute(stack: Stack) -> None:
    _name_all(stack)
    deployed = stack.up()
    assert deployed.code == 0, deployed
    jobs = json.loads(stack.kubectl("get", "jobs", "--output", "json"))["items"]
    runs = {
        job["metadata"]["name"]: job["status"] for job in jobs if job["metadata"]["name"].startswith("run-")
    }
    assert len(runs) == len(FEATURES)
    gate = max(
        (job for job in jobs if job["metadata"]["name"].startswith("verification-")),
        key=lambda job: str(job["status"].get("startTime")),
    )
    begun = min(status["startTime"] for status in runs.values())
    took = _seconds(gate["status"]["completionTime"]) - _seconds(begun)
    print(f"jobs and gate: {took:.0f} s")
    assert took <= WHOLE_RUN_S
    seen = stack.kubectl("logs", f"job/{gate['metadata']['name']}")
    for task in FEATURES:
        assert f"effect-of-{task}" in seen


def _seconds(stamp: str) -> float:
    return time.mktime(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))


@pytest.mark.soak("takes minutes")
def test_a_job_that_fails_ends_the_up_with_its_last_words(stack: Stack) -> None:
    stack.set("orka-ppm:verification.run-jobs[0]", "embedding-generation")
    stack.set("orka-ppm:openai.base-url", "http://127.0.0.1:9/v1")
    # Something to embed, or the job has nothing to ask for.
    Api(PATHS, 0).post_event()
    failed = stack.up()
    assert failed.code != 0
    assert "embedding-generation failed: APIConnectionError" in failed.output, failed
