"""Going back as the README says: in a clone with the whole stack file committed, secrets included."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.twin import further_migration
from tests.twin.api import HOST, Api
from tests.twin.conftest import PATHS, commit, rotate_service_key
from tests.twin.load import Load
from tests.twin.relabelled_image import backend_digest

if TYPE_CHECKING:
    from tests.twin.stack import Stack

WORKLOADS = (
    ("deployment", "backend"),
    ("deployment", "frontend"),
    ("deployment", "prometheus"),
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


def _image(stack: Stack) -> str:
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"])


def _service_key(stack: Stack) -> str:
    """What the backend's pods have in their environment as Supabase's service key."""
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    name = pod["containers"][0]["envFrom"][0]["secretRef"]["name"]
    value = stack.manifest("secret", name)["data"]["SUPABASE_SERVICE_KEY"]
    return base64.b64decode(value).decode()


def _load() -> Load:
    """Every answer is read from the database, through the schema that is migrated meanwhile."""
    return Load(HOST, "/api/audit/events?limit=1", PATHS.ca, token=Api(PATHS, 0).token)


@pytest.mark.usefixtures("further")
def test_the_previous_commit_brings_back_the_previous_state_on_a_newer_schema(scratch_clone: Stack) -> None:
    first_up = scratch_clone.up()
    assert first_up.code == 0, first_up
    before, first = _specs(scratch_clone), scratch_clone.outputs()
    previous = scratch_clone.run("git", "rev-parse", "HEAD").output.strip()

    digest = backend_digest("next")
    scratch_clone.set("orka-ppm:images.backend.digest", digest)
    scratch_clone.set("orka-ppm:backend.log-level", "DEBUG")
    further_migration.write(scratch_clone.folder, further_migration.GOOD)
    commit(scratch_clone, "a new image, a new setting, a further migration")
    with _load() as forth:
        second_up = scratch_clone.up()
    assert second_up.code == 0, second_up
    assert forth.answers.total() > 100
    assert forth.failures == {}, forth.answers
    assert digest in forth.releases, "the new image answered none of the requests"
    assert len(forth.releases) == 2, "each request was answered by the old image or by the new one"
    assert _image(scratch_clone).endswith(digest)
    assert further_migration.VERSION in further_migration.applied(PATHS)
    assert _specs(scratch_clone) != before
    assert scratch_clone.outputs()["release_id"] != first["release_id"]
    gates = _gates(scratch_clone)

    assert scratch_clone.run("git", "checkout", "-q", previous).code == 0
    with _load() as going_back:
        assert scratch_clone.refresh().code == 0
        back = scratch_clone.up()
    assert back.code == 0, back
    assert going_back.failures == {}, going_back.answers
    assert going_back.releases == forth.releases
    assert _specs(scratch_clone) == before
    assert scratch_clone.outputs() == first
    assert _gates(scratch_clone) - gates, "the gate did not run on the way back"
    assert further_migration.VERSION in further_migration.applied(PATHS), "the schema went back too"


@pytest.mark.soak("two more rollouts")
def test_where_a_secret_was_rotated_reverting_the_release_keeps_the_new_one(scratch_clone: Stack) -> None:
    scratch_clone.set("orka-ppm:backend.log-level", "WARNING")
    release = commit(scratch_clone, "a release")
    rotated = rotate_service_key(scratch_clone)
    commit(scratch_clone, "a rotated secret")
    up = scratch_clone.up()
    assert up.code == 0, up
    assert _service_key(scratch_clone) == rotated
    assert rotated not in up.output

    reverted = scratch_clone.run("git", "revert", "--no-edit", release)
    assert reverted.code == 0, reverted
    back = scratch_clone.up()
    assert back.code == 0, back
    assert _service_key(scratch_clone) == rotated
    container = scratch_clone.manifest("deployment", "backend")["spec"]["template"]["spec"]["containers"][0]
    assert {item["name"]: item.get("value") for item in container["env"]}["LOG_LEVEL"] == "INFO"
