"""Engine, language host, kubernetes plugin and cluster together, on a program small enough to see them."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.checkout import CHECKOUT
from tests.twin.stack import Stack
from twin.environment import environment, official_pulumi
from twin.paths import default

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = CHECKOUT / "tests" / "twin" / "programs" / "small"
IMAGE = "orka.twin/busybox:1"
# The official plugin drops a misspelt field in silence and works on any cluster.
stand_in_only = pytest.mark.skipif(
    official_pulumi(default(), os.environ) is not None, reason="a refusal that only the stand-in makes"
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The small program with a state of its own, up once."""
    base: Path = tmp_path_factory.mktemp("small")
    folder = base / "program"
    shutil.copytree(PROGRAM, folder)
    (folder / ".venv").symlink_to(CHECKOUT / ".venv")
    state = base / "state"
    state.mkdir()
    variables = {**os.environ, **environment(default()), "PULUMI_BACKEND_URL": f"file://{state}"}
    variables.pop("PULUMI_OPTION_CONFIG_FILE")
    stack = Stack(folder, variables)
    made = stack.run("pulumi", "stack", "init", "staging", "--non-interactive")
    assert made.code == 0, made
    stack.set("small:image", IMAGE)
    up = stack.up()
    assert up.code == 0, up
    yield stack
    gone = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone
    assert "small" not in stack.run("kubectl", "get", "namespaces", "--output", "name").output


def _web(stack: Stack) -> dict[str, object]:
    found = stack.run("kubectl", "--namespace", "small", "get", "deployment", "web", "--output", "json")
    return dict(json.loads(found.output))


def test_a_deployment_is_up_when_up_says_so(small: Stack) -> None:
    status = _web(small)["status"]
    assert isinstance(status, dict)
    assert status["readyReplicas"] == 1


def test_a_second_up_and_a_preview_change_nothing_and_warn_of_nothing(small: Stack) -> None:
    for result in (small.up("--expect-no-changes"), small.preview("--expect-no-changes")):
        assert result.code == 0, result
        assert "warning" not in result.output, result


def test_a_changed_configmap_is_a_new_one_and_the_pods_roll_to_it(small: Stack) -> None:
    before = small.outputs()["settings"]
    small.set("small:greeting", "good day")
    up = small.up()
    assert up.code == 0, up
    after = small.outputs()["settings"]
    assert after != before
    assert f'"name": "{after}"' in json.dumps(_web(small)["spec"])


def test_a_scaled_deployment_is_shown_as_drift_and_healed(small: Stack) -> None:
    scaled = small.run("kubectl", "--namespace", "small", "scale", "deployment", "web", "--replicas", "2")
    assert scaled.code == 0, scaled
    shown = small.pulumi("refresh", "--preview-only", "--diff")
    assert "replicas: 1 => 2" in shown.output, shown
    healed = small.up("--refresh")
    assert healed.code == 0, healed
    spec = _web(small)["spec"]
    assert isinstance(spec, dict)
    assert spec["replicas"] == 1


def test_an_image_that_is_not_there_fails_in_time_with_the_reason_and_the_next_up_heals(small: Stack) -> None:
    small.set("small:image", "orka.twin/missing:1")
    failed = small.up()
    assert failed.code != 0
    assert "ErrImageNeverPull" in failed.output or "not present" in failed.output, failed
    status = _web(small)["status"]
    assert isinstance(status, dict)
    assert status["readyReplicas"] == 1, "the old pod must go on"
    small.set("small:image", IMAGE)
    healed = small.up()
    assert healed.code == 0, healed


@stand_in_only
def test_a_misspelt_field_is_refused_and_not_ignored(small: Stack) -> None:
    program = small.folder / "__main__.py"
    good = program.read_text()
    program.write_text(good.replace('"replicas":', '"replcias":'))
    try:
        preview = small.preview()
        assert preview.code != 0
        assert "replcias" in preview.output, preview
    finally:
        program.write_text(good)


@stand_in_only
def test_a_cluster_without_the_twins_mark_is_refused(small: Stack) -> None:
    mark = ("configmap", "orka-twin", "--namespace", "kube-system")
    saved = small.run("kubectl", "get", *mark, "--output", "json").output
    assert small.run("kubectl", "delete", *mark).code == 0
    try:
        small.set("small:greeting", "good night")
        refused = small.up()
        assert refused.code != 0
        assert "orka-twin" in refused.output, refused
    finally:
        document = json.loads(saved)
        for key in ("uid", "resourceVersion", "creationTimestamp"):
            document["metadata"].pop(key, None)
        assert small.run("kubectl", "create", "--filename", "-", stdin=json.dumps(document)).code == 0
    healed = small.up()
    assert healed.code == 0, healed
