"""A namespace made by hand by the guide's commands becomes the stack's, while it serves every request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.twin import by_hand
from tests.twin.conftest import PATHS
from tests.twin.load import PAGE, Load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.twin.stack import Stack

HOST = "api-staging.orka-ppm.example.com"
SERVING = "deployments,services,ingresses,cronjobs"
TAKEN = {
    "namespace/staging", "deployment/backend", "deployment/frontend", "service/backend", "service/frontend",
    "ingress/backend", "ingress/frontend", "cronjob/anomaly-detection-job",
    "cronjob/embedding-generation-job", "cronjob/model-training-job", "cronjob/scheduled-reports-job",
}  # fmt: skip

OF_A_RELOAD = {(0, "RemoteDisconnected"), (502, PAGE), (502, "")}
"""What Caddy makes of the one request under way when it is told of Ingress objects: it answers none whose
connection is new, and looks for no other pod for one that it could not pass on."""


@pytest.fixture
def made_by_hand(scratch_clone: Stack) -> Iterator[Stack]:
    """A clone of the program beside a namespace of which it knows nothing; all of it is gone afterwards."""
    by_hand.make(scratch_clone, PATHS)
    yield scratch_clone
    by_hand.remove(scratch_clone)


def _adopt(stack: Stack) -> tuple[int, dict[str, set[str]]]:
    """The exit code of `ops adopt`, and by verdict the objects that it names; those of which a part stays."""
    done = stack.run("bash", "-c", ".venv/bin/ops adopt --json 2>adopt.err || code=$?; exit ${code:-0}")
    assert done.output.startswith("{"), (stack.folder / "adopt.err").read_text()
    found: dict[str, set[str]] = {}
    for one in json.loads(done.output)["objects"]:
        found.setdefault(one["verdict"], set()).add(one["key"])
        if one["kept"]:
            found.setdefault("stays", set()).add(one["key"])
    return done.code, found


def _identities(stack: Stack) -> dict[str, str]:
    items: list[dict[str, Any]] = json.loads(stack.kubectl("get", SERVING, "--output", "json"))["items"]
    return {f"{item['kind'].lower()}/{item['metadata']['name']}": item["metadata"]["uid"] for item in items}


def _reloads() -> int:
    """How often the twin's edge was told of Ingress objects."""
    return (PATHS.logs / "edge-controller.log").read_text().count("told Caddy")


@pytest.mark.soak("destroys and makes the stack twice")
def test_what_was_made_by_hand_is_shown_and_then_taken_over_under_load(made_by_hand: Stack) -> None:
    stack = made_by_hand
    code, found = _adopt(stack)
    assert code == 1
    assert found["cannot"] == {"deployment/backend", "deployment/frontend"}

    for name in ("backend", "frontend"):
        stack.set(f"orka-ppm:cluster.selector-labels.{name}.app", name)
    code, found = _adopt(stack)
    assert code == 0, found
    assert found["take over"] == TAKEN
    assert {"deployment/fluentd", "secret/backend-env"} <= found["left alone"]

    stays = found["stays"]
    before, reloads = _identities(stack), _reloads()
    stack.set("orka-ppm:cluster.take-over", "true")
    with Load(HOST, "/health", PATHS.ca) as load:
        up = stack.up()
    assert up.code == 0, up
    assert load.failures.keys() <= OF_A_RELOAD, load.failures
    assert sum(load.failures.values()) <= _reloads() - reloads, "more than the twin's edge itself drops"
    digest = stack.outputs()["images"]["backend"].partition("@")[2]
    assert load.releases == {by_hand.RELEASE, digest}, "the load did not see both the old and the new pods"
    after = _identities(stack)
    assert {name: after[name] for name in before} == before, "something that served was replaced"

    drift = stack.drift()
    assert {name.partition(" by ")[0] for name in drift} <= stays, "what both want of a field is no drift"
    by_a_person = drift["deployment/backend by kubectl-client-side-apply"]
    assert any("DEPLOYED_BY" in field for field in by_a_person)
    assert not any("replicas" in field or "last-applied" in field for field in by_a_person)

    stack.set("orka-ppm:cluster.take-over", "false")
    unchanged = stack.unchanged("preview")
    assert unchanged.code == 0, unchanged
    code, found = _adopt(stack)
    assert code == 0
    assert "take over" not in found
    assert "deployment/fluentd" in found["left alone"]
