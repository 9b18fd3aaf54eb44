"""The same resources as plain dicts, without a typed SDK, settings or checks: what our comfort costs.

They come from a recording of what the stack's program registered.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pulumi

from benchmarks.program.recording import MARK, VARIABLE


def opened(value: Any) -> Any:
    """Plain values, secrets as secret Outputs."""
    if isinstance(value, list):
        return [opened(item) for item in value]
    if not isinstance(value, dict):
        return value
    if MARK in value:
        return pulumi.Output.secret(opened(value["value"]))
    return {key: opened(item) for key, item in value.items()}


def register(recorded: dict[str, Any]) -> None:
    """All resources in the order of the recording: what a resource refers to comes before it."""
    made: dict[str, pulumi.Resource] = {}
    providers: dict[str, pulumi.ProviderResource] = {}
    for one in recorded["resources"]:
        kind, name = one["type"], one["name"]
        options = pulumi.ResourceOptions(
            parent=made.get(one["parent"]),
            depends_on=[made[urn] for urn in one["dependencies"]],
            provider=providers.get(kind.partition(":")[0]),
            version=one["version"] or None,
        )
        if kind.startswith("pulumi:providers:"):
            package = kind.rpartition(":")[2]
            made[one["urn"]] = providers[package] = pulumi.ProviderResource(
                package, name, opened(one["inputs"]), options
            )
        elif one["custom"]:
            made[one["urn"]] = pulumi.CustomResource(kind, name, opened(one["inputs"]), options)
        else:
            component = made[one["urn"]] = pulumi.ComponentResource(kind, name, None, options)
            component.register_outputs(opened(one["outputs"]))
    for name, value in recorded["exports"].items():
        pulumi.export(name, opened(value))


register(json.loads(Path(os.environ[VARIABLE]).read_text()))
