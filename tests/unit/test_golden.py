"""The manifests of the staging stack as readable YAML; a change shows as a diff in the review."""

from __future__ import annotations

import difflib
import shutil
from typing import TYPE_CHECKING

from tests.unit.rendered import GOLDEN, rendered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from tests.unit.harness import Run

REMEDY = "review it, then --update-golden"


def _kept(folder: Path, manifests: Mapping[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in manifests.items():
        (folder / name).write_text(text)


def _differences(folder: Path, manifests: Mapping[str, str]) -> dict[str, str]:
    golden = {file.name: file.read_text() for file in folder.glob("*.yaml")}
    names = sorted(golden.keys() | manifests.keys())
    found = {name: _difference(golden.get(name, ""), manifests.get(name, "")) for name in names}
    return {name: lines for name, lines in found.items() if lines}


def _difference(golden: str, manifest: str) -> str:
    return "\n".join(difflib.unified_diff(golden.splitlines(), manifest.splitlines(), lineterm="", n=1))


def test_the_manifests_are_the_golden_ones(run: Run, request: pytest.FixtureRequest) -> None:
    manifests = rendered(run)
    if request.config.getoption("--update-golden"):
        _kept(GOLDEN, manifests)
    found = _differences(GOLDEN, manifests)
    assert not found, "\n".join([*(f"{name}:\n{lines}" for name, lines in found.items()), REMEDY])


def test_a_changed_a_missing_and_a_superfluous_manifest_would_be_seen(run: Run, tmp_path: Path) -> None:
    manifests = rendered(run)
    _kept(tmp_path / "golden", manifests)
    assert _differences(tmp_path / "golden", manifests) == {}
    changed, missing, *_ = manifests
    other = {**manifests, changed: manifests[changed] + "changed: true\n", "new.yaml": "new: true\n"}
    del other[missing]
    found = _differences(tmp_path / "golden", other)
    assert set(found) == {changed, missing, "new.yaml"}
    assert found[changed].splitlines()[-1] == "+changed: true"
    assert found["new.yaml"].splitlines()[-1] == "+new: true"
    assert f"-{manifests[missing].splitlines()[0]}" in found[missing].splitlines()
