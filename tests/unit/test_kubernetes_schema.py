"""Every manifest is what the supported versions of Kubernetes understand, field by field."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest

from tests.unit.harness import Run, manifests
from tests.unit.kubernetes_schema import VERSIONS, faults
from tests.unit.other_settings import OTHER_SETTINGS

# Their schemas are the operator's, by which test_operator_schema judges them.
OF_AN_OPERATOR = "monitoring.coreos.com/"
OFF_BY_DEFAULT = {
    "horizontalpodautoscaler-backend",
    "deployment-checker",
    "secret-registry",
    "networkpolicy-acme-solver",
    "deployment-fluentd",
    "job-announcement",
}


@cache
def _own(settings: str) -> dict[str, dict[str, Any]]:
    """The objects of Kubernetes itself under these other settings."""
    found = manifests(OTHER_SETTINGS[settings].run())
    return {
        name: manifest
        for name, manifest in found.items()
        if not manifest["apiVersion"].startswith(OF_AN_OPERATOR)
    }


def _unfit(found: dict[str, dict[str, Any]], version: str) -> dict[str, list[str]]:
    judged = {name: faults(manifest, version) for name, manifest in found.items()}
    return {name: told for name, told in judged.items() if told}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_the_schema(run: Run, version: str) -> None:
    assert _unfit(manifests(run), version) == {}
    assert len(manifests(run)) == len([r for r in run.resources if r.type.startswith("kubernetes:")])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("settings", OTHER_SETTINGS)
def test_under_other_settings_every_manifest_fits_it_too(settings: str, version: str) -> None:
    assert _unfit(_own(settings), version) == {}


def test_the_other_settings_have_what_is_off_by_default(run: Run) -> None:
    assert not OFF_BY_DEFAULT & manifests(run).keys()
    assert {name for settings in OTHER_SETTINGS for name in _own(settings)} >= OFF_BY_DEFAULT


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
