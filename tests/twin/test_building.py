"""Images by build context: nothing published before, built and pushed by `up`, then pinned."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.twin.conftest import PATHS
from tests.twin.stack import begins
from twin import application
from twin import images as base_images

if TYPE_CHECKING:
    from pathlib import Path

    from tests.twin.stack import Stack


@pytest.fixture
def built(request: pytest.FixtureRequest) -> set[str]:
    """The images that are built; under `--soak` all three, which rolls everything at each step."""
    return {"backend", "frontend", "ops"} if request.config.getoption("--soak") else {"backend"}


@pytest.fixture
def building(scratch_clone: Stack, built: set[str]) -> Stack:
    """A clone whose images are built from it."""
    file = scratch_clone.folder / "Pulumi.staging.yaml"
    document: dict[str, Any] = yaml.safe_load(file.read_text())
    for context in application.contexts(PATHS):
        if context.name not in built:
            continue
        image = document["config"]["orka-ppm:images"][context.name]
        del image["digest"]
        image["build"] = {
            "context": context.folder,
            "dockerfile": f"{context.folder}/{context.dockerfile}",
            "base-image": base_images.base_reference(PATHS),
            "network": "none",
        }
    file.write_text(yaml.safe_dump(document, sort_keys=False, width=110))
    return scratch_clone


def _running(stack: Stack) -> str:
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"])


def test_a_context_is_built_pushed_run_by_digest_and_then_pinned(building: Stack) -> None:
    shown = building.preview()
    assert shown.code == 0, shown
    first = building.up()
    assert first.code == 0, first
    images = building.outputs()["images"]
    assert _running(building) == images["backend"]
    assert "@sha256:" in images["backend"]
    unchanged = building.unchanged("up")
    assert unchanged.code == 0, unchanged

    module = building.folder / "twin" / "workload" / "backend" / "app" / "__init__.py"
    module.write_text(module.read_text() + "\n# another release\n")
    second = building.up()
    assert second.code == 0, second
    rebuilt = building.outputs()["images"]
    assert rebuilt["backend"] != images["backend"]
    assert rebuilt["ops"] == images["ops"]
    assert _running(building) == rebuilt["backend"]

    pinned = building.run(str(building.folder / ".venv" / "bin" / "ops"), "images", "pin", "--json")
    assert pinned.code == 0, pinned
    assert sorted(json.loads(pinned.output)["pinned"]) == ["backend", "frontend", "ops"]
    building.environment = {**building.environment, "DOCKER_HOST": "unix:///nowhere"}
    without_docker = building.up()
    assert without_docker.code == 0, without_docker
    assert _running(building) == rebuilt["backend"]


@pytest.mark.soak("builds an image twice")
def test_an_up_killed_while_an_image_is_built_ends_green_after_cancel(
    building: Stack, tmp_path: Path
) -> None:
    module = building.folder / "ops" / "__init__.py"
    module.write_text(module.read_text() + "\n# killed while this was built\n")
    stage = begins("docker:index/image:Image", "ops")
    building.interrupted_up(stage, signal.SIGKILL, tmp_path / "events.json")
    assert "locked" in building.up().output
    assert building.pulumi("cancel", "--yes").code == 0
    healed = building.up()
    assert healed.code == 0, healed
