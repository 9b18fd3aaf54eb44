"""Judges the objects for a Prometheus operator by its own CRDs, as strictly as the API server, and more.

`operator_schemas/` has the schemas of four CRDs of prometheus-operator v0.93.1 (Apache-2.0), from the folder
`example/prometheus-operator-crd` of github.com/prometheus-operator/prometheus-operator, without descriptions.
`python -m tests.unit.operator_schema FOLDER` writes them again, from that folder of another version.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).with_name("operator_schemas")
KINDS = ("ServiceMonitor", "Probe", "PrometheusRule", "AlertmanagerConfig")


def faults(manifest: Mapping[str, Any]) -> list[str]:
    """Everything in which an object differs from its kind's schema, unknown fields included.

    Raises:
        FileNotFoundError: the operator has no such kind in that version.
    """
    group, _, version = str(manifest["apiVersion"]).partition("/")
    validator = Draft202012Validator(_closed_schema(f"{group}_{version}_{manifest['kind']}"))
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(manifest)]


@cache
def _closed_schema(name: str) -> Any:
    schema = json.loads((FOLDER / f"{name}.json").read_text())
    route = schema["properties"]["spec"]["properties"].get("route")
    if route:
        # The CRD takes anything there, since it cannot name itself; the operator reads routes.
        route["properties"]["routes"]["items"] = {"$ref": "#/properties/spec/properties/route"}
    closed = _closed(schema)
    # The API server judges it by rules of its own.
    closed["properties"]["metadata"] = {"type": "object", "required": ["name", "namespace"]}
    return closed


def _closed(schema: Any) -> Any:
    """The same schema; what it does not name, the API server would drop without a word, and it is refused."""
    return _everywhere(
        schema,
        lambda one: (
            {"additionalProperties": False, **one}
            if one.get("type") == "object" and not one.get("x-kubernetes-preserve-unknown-fields")
            else one
        ),
    )


def without_descriptions(schema: Any) -> Any:
    """What is left of a schema without its prose; a field called `description` is none."""
    return _everywhere(
        schema,
        lambda one: {
            key: value for key, value in one.items() if key != "description" or not isinstance(value, str)
        },
    )


def _everywhere(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if isinstance(schema, list):
        return [_everywhere(one, change) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return change({key: _everywhere(value, change) for key, value in schema.items()})


class _Loader(yaml.SafeLoader):
    """YAML 1.1 gives `=` a meaning of its own; in these files it is one of Alertmanager's operators."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def main(source: Path) -> None:
    """Write the schemas anew."""
    for kind in KINDS:
        file = source / f"monitoring.coreos.com_{kind.lower()}s.yaml"
        spec = yaml.load(file.read_text(), Loader=_Loader)["spec"]  # noqa: S506 - a safe loader's child
        for version in spec["versions"]:
            schema = without_descriptions(version["schema"]["openAPIV3Schema"])
            text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
            (FOLDER / f"{spec['group']}_{version['name']}_{kind}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
