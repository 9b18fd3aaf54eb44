"""`ops images` against a pulumi that records what it is told."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from ops.cli import main

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = {
    "backend": f"registry.example.com/orka-ppm-backend@sha256:{'b' * 64}",
    "frontend": f"registry.example.com/orka-ppm-frontend@sha256:{'f' * 64}",
    "ops": f"registry.example.com/orka-ops@sha256:{'0' * 64}",
    "prometheus": f"quay.io/prometheus/prometheus@sha256:{'a' * 64}",
}


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pulumi whose outputs are in a file and whose arguments go into another."""
    program = tmp_path / "pulumi"
    program.write_text('#!/bin/sh\necho "$@" >> "$0.argv"\n[ "$1" = stack ] && cat "$0.outputs"\nexit 0\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    program.with_name("pulumi.outputs").write_text(json.dumps({"images": IMAGES}))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return program


def test_pinning_writes_the_digests_of_our_images_and_takes_their_builds_out(pulumi: Path) -> None:
    assert main(["images", "pin"]) == 0
    told = pulumi.with_name("pulumi.argv").read_text()
    for name in ("backend", "frontend", "ops"):
        digest = IMAGES[name].rpartition("@")[2]
        assert f"orka-ppm:images.{name}.digest {digest}" in told
        assert f"config rm --path --stack staging --non-interactive orka-ppm:images.{name}.build" in told
    assert "images.prometheus" not in told


def test_a_stack_whose_frontend_is_hosted_elsewhere_pins_the_others(pulumi: Path) -> None:
    images = {name: reference for name, reference in IMAGES.items() if name != "frontend"}
    pulumi.with_name("pulumi.outputs").write_text(json.dumps({"images": images}))
    assert main(["images", "pin"]) == 0
    told = pulumi.with_name("pulumi.argv").read_text()
    assert "images.backend.digest" in told
    assert "images.ops.digest" in told
    assert "images.frontend" not in told


def test_a_stack_without_outputs_is_told_what_to_do(pulumi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulumi.with_name("pulumi.outputs").write_text("{}")
    assert main(["images", "pin"]) == 3
    told = capsys.readouterr().err
    assert "run `pulumi up` first" in told
    assert "written before: nothing" in told


def test_the_list_is_json_for_scripts(pulumi: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pulumi.exists()
    assert main(["images", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == IMAGES
