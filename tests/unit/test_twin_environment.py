"""`twin env`: what it exports, and whose `pulumi` is used."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from twin import cli, hand_tools
from twin import paths as twin_paths
from twin.environment import environment, official_pulumi
from twin.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(checkout=tmp_path, data=tmp_path / ".twin", state=tmp_path / "state", run=tmp_path / "run")


def program(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_the_twins_tools_come_first_and_evaluating_twice_changes_nothing(paths: Paths) -> None:
    once = environment(paths, {"PATH": "/usr/bin"})
    assert once["PATH"].split(":")[0] == str(paths.bin)
    assert once["PATH"].split(":")[-1] == "/usr/bin"
    assert environment(paths, once) == once


def test_everything_that_is_exported_lies_in_the_twins_folders(paths: Paths) -> None:
    places = {
        name: value for name, value in environment(paths, {}).items() if "/" in value and name != "PATH"
    }
    places["DOCKER_HOST"] = places["DOCKER_HOST"].removeprefix("unix://")
    places["PULUMI_BACKEND_URL"] = places["PULUMI_BACKEND_URL"].removeprefix("file://")
    for name, value in places.items():
        assert value.startswith((str(paths.data), str(paths.run))), name


def test_a_shell_reads_the_exports_back(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(twin_paths, "default", lambda: paths)
    assert cli.main(["env"]) == 0
    script = f"{capsys.readouterr().out}\nenv -0"
    read = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=30, check=True).stdout
    seen = dict(entry.split("=", 1) for entry in read.split("\0") if entry)
    assert cli.main(["env", "--json"]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert {name: seen[name] for name in exported} == exported


def test_a_pulumi_of_the_person_is_found_and_the_twins_own_is_not_taken_for_one(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program(paths.bin / "pulumi")
    cached = program(tmp_path / "cache/orka-twin/tools/x/pulumi")
    linked = tmp_path / "links/pulumi"
    linked.parent.mkdir()
    linked.symlink_to(cached)
    twins = f"{paths.bin}:{cached.parent}:{linked.parent}"
    assert official_pulumi(paths, {"PATH": f"{paths.bin}"}) is None
    assert official_pulumi(paths, {"PATH": f"{cached.parent}"}) is None
    assert official_pulumi(paths, {"PATH": f"{linked.parent}"}) is None
    own = program(tmp_path / "own/pulumi")
    assert official_pulumi(paths, {"PATH": f"{own.parent}:{twins}"}) == own
    assert official_pulumi(paths, {"PATH": f"{twins}:{own.parent}"}) == own


def test_with_the_persons_pulumi_the_twin_offers_neither_pulumi_nor_plugins(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pulumi", hand_tools.LANGUAGE_HOST):
        program(paths.bin / name)
    standin = program(hand_tools._plugin_folder(paths, "random") / "pulumi-resource-random")
    own = program(tmp_path / "own/pulumi")
    monkeypatch.setenv("PATH", f"{own.parent}:{os.environ['PATH']}")
    assert str(own) in hand_tools._pulumi(paths)
    assert list(paths.bin.iterdir()) == []
    assert not standin.parent.exists()


def test_curl_is_led_to_the_edge_for_the_guides_hosts_only(paths: Paths) -> None:
    text = hand_tools.curlrc(paths.ca)
    assert text.count("connect-to") == 2
    assert '"api-staging.orka-ppm.example.com:443:127.0.0.1:8443"' in text
    assert '"staging.orka-ppm.example.com:443:127.0.0.1:8443"' in text
