"""The manifests of the staging stack as readable YAML; a change shows as a diff in the review."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.unit.harness import SECRET_MARK, Run

if TYPE_CHECKING:
    import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "staging"


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Readable.add_representer(str, _text)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return "[secret]"
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _manifests(run: Run) -> dict[str, str]:
    rendered = {}
    for resource in run.resources:
        if resource.type.startswith(("kubernetes:", "postgresql:")):
            inputs = _masked(resource.inputs)
            if resource.name == "migration-sql":
                # The SQL stands in sql/, and its checksums in the release id.
                inputs["data"] = dict.fromkeys(sorted(inputs["data"]), "[sql]")
            kind = resource.type.rpartition(":")[2].lower()
            rendered[f"{kind}-{resource.name}.yaml"] = yaml.dump(
                inputs, Dumper=_Readable, sort_keys=True, width=110
            )
    return rendered


def test_the_manifests_are_the_golden_ones(run: Run, request: pytest.FixtureRequest) -> None:
    manifests = _manifests(run)
    if request.config.getoption("--update-golden"):
        shutil.rmtree(GOLDEN, ignore_errors=True)
        GOLDEN.mkdir(parents=True)
        for name, text in manifests.items():
            (GOLDEN / name).write_text(text)
    assert {file.name for file in GOLDEN.glob("*.yaml")} == set(manifests)
    for name, text in sorted(manifests.items()):
        assert (GOLDEN / name).read_text() == text, f"{name} changed: review it, then --update-golden"


def test_a_changed_manifest_would_be_seen(run: Run) -> None:
    name, text = next(iter(_manifests(run).items()))
    assert (GOLDEN / name).read_text() != text + "changed: true\n"
