"""The manifests of all settings, and broken ones, as folders; what checkov says of them, asked once."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.checkout import CHECKOUT
from tests.scanners.broken import BROKEN, MANIFEST, broken
from tests.unit.other_settings import OTHER_SETTINGS
from tests.unit.rendered import GOLDEN, rendered

if TYPE_CHECKING:
    from pathlib import Path

SCANNERS = CHECKOUT / "tests" / "scanners"
BIN = SCANNERS / ".venv" / "bin"
DEPLOYED = ("staging", "application", "small", "hosted", "operator", "everything")
"""The committed settings, and those others that bring objects or take some away."""


def _folder(at: Path, texts: dict[str, str]) -> None:
    at.mkdir()
    for name, text in texts.items():
        (at / name).write_text(text)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for each of these settings, and for each broken manifest."""
    at = tmp_path_factory.mktemp("manifests")
    golden = {file.name: file.read_text() for file in GOLDEN.glob("*.yaml")}
    _folder(at / "staging", golden)
    for name in DEPLOYED[1:]:
        _folder(at / name, rendered(OTHER_SETTINGS[name].run()))
    whole = golden[MANIFEST]
    _folder(at / "whole", {MANIFEST: whole})
    for change in BROKEN:
        _folder(at / str(change), {MANIFEST: broken(whole, change)})
    return at


@pytest.fixture(scope="session")
def judged(folders: Path) -> dict[str, Any]:
    """By folder what failed and what passed."""
    command = [BIN / "python", SCANNERS / "judge.py", folders]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
