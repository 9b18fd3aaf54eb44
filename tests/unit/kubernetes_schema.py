"""Judges a manifest by the published Kubernetes schemas, unknown fields included."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import referencing
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSIONS = ("1.34", "1.35", "1.36", "1.37")


def faults(manifest: Mapping[str, Any], version: str) -> list[str]:
    """Everything in which a manifest differs from its kind's schema, with the place in it.

    Raises:
        FileNotFoundError: that version of Kubernetes has no such kind.
    """
    group, _, api = str(manifest["apiVersion"]).rpartition("/")
    name = "-".join(part for part in (manifest["kind"].lower(), group.split(".")[0], api) if part)
    validator = Draft202012Validator(_read(version, name), registry=_definitions(version))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(manifest)]


def _read(version: str, name: str) -> Any:
    folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
    return json.loads((folder / f"{name}.json").read_text())


@cache
def _definitions(version: str) -> referencing.Registry:
    resource = referencing.Resource.from_contents(_read(version, "_definitions"))
    return resource @ referencing.Registry()
