"""The manifests of a run as readable YAML, secret values masked: what golden files and scanners are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.checkout import CHECKOUT
from tests.unit.harness import SECRET_MARK

if TYPE_CHECKING:
    from tests.unit.harness import Run

GOLDEN = CHECKOUT / "tests" / "golden" / "staging"


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Readable.add_representer(str, _text)


def masked(value: Any) -> Any:
    """A value with a word in place of each secret."""
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return "[secret]"
        return {key: masked(item) for key, item in value.items()}
    return [masked(item) for item in value] if isinstance(value, list) else value


def readable(manifest: Any) -> str:
    """One manifest as YAML."""
    return yaml.dump(manifest, Dumper=_Readable, sort_keys=True, width=110)


def rendered(run: Run) -> dict[str, str]:
    """Every manifest and every object of the database, by file name."""
    texts = {}
    for resource in run.resources:
        if resource.type.startswith(("kubernetes:", "postgresql:")):
            inputs = masked(resource.inputs)
            if resource.name == "migration-sql":
                # The SQL stands in sql/, and its checksums in the release id.
                inputs["data"] = dict.fromkeys(sorted(inputs["data"]), "[sql]")
            kind = resource.type.rpartition(":")[2].lower()
            texts[f"{kind}-{resource.name}.yaml"] = readable(inputs)
    return texts
