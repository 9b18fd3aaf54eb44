"""Every manifest is what the supported versions of Kubernetes understand, field by field."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.harness import Run, manifests
from tests.unit.kubernetes_schema import VERSIONS, faults


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_the_schema(run: Run, version: str) -> None:
    found = {name: faults(manifest, version) for name, manifest in manifests(run).items()}
    assert {name: told for name, told in found.items() if told} == {}
    assert len(found) == len([r for r in run.resources if r.type.startswith("kubernetes:")])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("spec", "replicaz"), 2, "'replicaz' was unexpected"),
        (("spec", "template", "spec", "containers", 0, "readyProbe"), {}, "'readyProbe' was unexpected"),
        (("spec", "replicas"), "two", "'two' is not of type"),
        (("spec", "selector"), {"matchLabel": {}}, "'matchLabel' was unexpected"),
    ],
)
def test_a_misspelt_or_mistyped_field_is_named(
    run: Run, version: str, path: tuple[str | int, ...], value: Any, told: str
) -> None:
    manifest = copy.deepcopy(manifests(run)["deployment-backend"])
    place: Any = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(told in fault for fault in faults(manifest, version)), faults(manifest, version)


def test_a_kind_that_a_version_lacks_is_an_error(run: Run) -> None:
    manifest = {**manifests(run)["deployment-backend"], "apiVersion": "extensions/v1beta1"}
    with pytest.raises(FileNotFoundError):
        faults(manifest, "1.37")
