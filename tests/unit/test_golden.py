"""The manifests of the staging stack as readable YAML; a change shows as a diff in the review."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.unit.rendered import rendered

if TYPE_CHECKING:
    import pytest

    from tests.unit.harness import Run

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "staging"


def test_the_manifests_are_the_golden_ones(run: Run, request: pytest.FixtureRequest) -> None:
    manifests = rendered(run)
    if request.config.getoption("--update-golden"):
        shutil.rmtree(GOLDEN, ignore_errors=True)
        GOLDEN.mkdir(parents=True)
        for name, text in manifests.items():
            (GOLDEN / name).write_text(text)
    assert {file.name for file in GOLDEN.glob("*.yaml")} == set(manifests)
    for name, text in sorted(manifests.items()):
        assert (GOLDEN / name).read_text() == text, f"{name} changed: review it, then --update-golden"


def test_a_changed_manifest_would_be_seen(run: Run) -> None:
    name, text = next(iter(rendered(run).items()))
    assert (GOLDEN / name).read_text() != text + "changed: true\n"
