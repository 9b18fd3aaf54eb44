"""Bad images, bad SQL, a bad gate: red with the reason, the old version serving, healed by the next `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.twin import further_migration
from tests.twin.conftest import PATHS
from tests.twin.load import Load

if TYPE_CHECKING:
    from tests.twin.stack import Stack

MISSING = f"sha256:{'e' * 64}"
BACKEND_DEADLINE_S = 25
MIGRATION_DEADLINE_S = 20
# How long everything else of a failing `up` may take on a busy machine.
SLACK_S = 90


def _load() -> Load:
    return Load("api-staging.orka-ppm.example.com", "/health", PATHS.ca)


def _digest(stack: Stack, image: str) -> str:
    return str(stack.outputs()["images"][image].rpartition("@")[2])


def _generation(stack: Stack) -> int:
    return int(stack.manifest("deployment", "backend")["metadata"]["generation"])


def test_a_bad_backend_image_fails_in_time_while_the_old_one_serves_every_request(stack: Stack) -> None:
    good = _digest(stack, "backend")
    stack.set("orka-ppm:backend.rollout.deadline-seconds", str(BACKEND_DEADLINE_S))
    stack.set("orka-ppm:images.backend.digest", MISSING)
    with _load() as load:
        failed = stack.up()
    assert failed.code != 0
    assert failed.seconds < BACKEND_DEADLINE_S + SLACK_S, failed
    assert "ImagePullBackOff" in failed.output or "ErrImagePull" in failed.output, failed
    assert load.answers.total() > 100
    assert load.failures == {}, load.answers
    assert load.releases == {good}


def test_a_bad_migration_image_ends_by_its_deadline_and_the_backend_is_untouched(stack: Stack) -> None:
    generation, good = _generation(stack), _digest(stack, "backend")
    stack.set("orka-ppm:migration.deadline-seconds", str(MIGRATION_DEADLINE_S))
    stack.set("orka-ppm:images.ops.digest", MISSING)
    with _load() as load:
        failed = stack.up()
    assert failed.code != 0
    assert failed.seconds < MIGRATION_DEADLINE_S + SLACK_S, failed
    assert "DeadlineExceeded" in failed.output, failed
    assert _generation(stack) == generation
    assert load.failures == {}, load.answers
    assert load.releases == {good}


@pytest.mark.usefixtures("further")
def test_sql_that_fails_is_shown_by_up_and_run_again_after_the_repair(scratch_clone: Stack) -> None:
    generation = _generation(scratch_clone)
    further_migration.write(scratch_clone.folder, further_migration.BROKEN)
    failed = scratch_clone.up()
    assert failed.code != 0
    assert "no_such_table" in failed.output, failed
    assert "42P01" in failed.output, failed
    assert _generation(scratch_clone) == generation
    assert further_migration.VERSION not in further_migration.applied(PATHS)

    again = scratch_clone.up()
    assert again.code != 0, "a failed migration counted as done"
    assert "42P01" in again.output, again

    further_migration.write(scratch_clone.folder, further_migration.GOOD)
    healed = scratch_clone.up()
    assert healed.code == 0, healed
    assert further_migration.VERSION in further_migration.applied(PATHS)


def test_a_release_that_does_not_work_makes_the_gate_red_with_the_way_back(stack: Stack) -> None:
    stack.set("orka-ppm:backend.env.ORKA_FAIL_DEGRADED", "redis")
    failed = stack.up()
    assert failed.code != 0
    assert "- redis failed: field 'status' is \"degraded\"" in failed.output, failed
    assert "git checkout PREVIOUS && pulumi refresh && pulumi up" in failed.output, failed
    backend = stack.manifest("deployment", "backend")
    assert backend["status"]["updatedReplicas"] == backend["status"]["readyReplicas"] == 2
