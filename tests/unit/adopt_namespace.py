"""The stack's manifests as a preview, the namespace made by hand, and a kubectl that knows both."""

from __future__ import annotations

import copy
import json
import sys
from typing import TYPE_CHECKING, Any

import yaml

from tests.checkout import CHECKOUT
from tests.unit.harness import SECRET_MARK, Run

if TYPE_CHECKING:
    from pathlib import Path

HANDMADE = CHECKOUT / "tests" / "twin" / "handmade"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def by_hand() -> dict[str, dict[str, Any]]:
    """What lies in the namespace after the guide's commands, by kind and name."""
    documents = [
        one for file in sorted(HANDMADE.glob("*.yaml")) for one in yaml.safe_load_all(file.read_text())
    ]
    found = {"namespace/staging": {"kind": "Namespace", "metadata": {"name": "staging"}}}
    for document in documents:
        live = copy.deepcopy(document)
        live["metadata"]["annotations"] = {LAST_APPLIED: json.dumps(document)}
        found[key(document)] = live
    return found


def key(document: dict[str, Any]) -> str:
    return f"{document['kind'].lower()}/{document['metadata']['name']}"


def preview(run: Run, **ops: str) -> dict[str, Any]:
    """What `pulumi preview --json` says of it; by key an operation that is no `create`."""
    steps: list[dict[str, Any]] = [
        {"op": "create", "newState": {"type": "random:index:Password", "inputs": {}}}
    ]
    for resource in run.resources:
        if resource.type.startswith("kubernetes:"):
            inputs = _hidden(copy.deepcopy(resource.inputs))
            inputs["metadata"].setdefault("name", f"{resource.name}-1a2b3c4d")
            op = ops.get(key(inputs).replace("/", "_"), "create")
            steps.append({"op": op, "newState": {"type": resource.type, "inputs": inputs}})
    return {"steps": steps}


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return "[secret]" if SECRET_MARK in value else {name: _hidden(item) for name, item in value.items()}
    return [_hidden(item) for item in value] if isinstance(value, list) else value


def write_kubectl(folder: Path, live: dict[str, dict[str, Any]], **says: str) -> None:
    """Write a `kubectl` that knows these objects and, by key, what a dry run of one is refused with."""
    (folder / "live.json").write_text(json.dumps({"live": live, "says": says}))
    program = folder / "kubectl"
    program.write_text(
        _KUBECTL.replace("@FILE@", str(folder / "live.json")).replace("@PYTHON@", sys.executable)
    )
    program.chmod(0o755)


_KUBECTL = '''#!@PYTHON@ -IS
"""Answers as kubectl does, from a file; it is asked for nothing but reading and dry runs."""
import json, sys
known = json.load(open("@FILE@"))
live, says = known["live"], known["says"]
words = [word for word in sys.argv[1:] if not word.startswith("--request-timeout")]

def over(old, new):
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: over(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and all("name" in item for item in old + new):
        named = {item["name"]: item for item in old}
        for item in new:
            named[item["name"]] = over(named.get(item["name"]), item)
        return list(named.values())
    return new

if "get" in says:
    sys.exit(says["get"])
if words[:2] == ["get", "namespace"]:
    found = live.get("namespace/" + words[2])
    print(json.dumps(found) if found else "")
elif words[0] == "get":
    asked = {word.partition(".")[0] for word in words[1].split(",")}
    if unknown := asked.intersection(says.get("unknown", "").split()):
        sys.exit(f'error: the server doesn\\'t have a resource type "{min(unknown)}" in group "x"')
    plural = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}
    is_one = lambda kind: plural.get(kind, kind.lower() + "s") in asked
    print(json.dumps({"items": [item for item in live.values() if is_one(item["kind"])]}))
elif words[0] == "apply" and "--dry-run=server" in words and "--server-side" in words:
    made = json.load(sys.stdin)
    key = made["kind"].lower() + "/" + made["metadata"]["name"]
    if key.replace("/", "_") in says:
        sys.exit(says[key.replace("/", "_")])
    old, selector = live.get(key, {}), made.get("spec", {}).get("selector")
    if made["kind"] == "Deployment" and old and old["spec"]["selector"] != selector:
        sys.exit(f'The Deployment "{made["metadata"]["name"]}" is invalid: spec.selector: Invalid value: '
                 + json.dumps(selector) + ": field is immutable")
    becomes = over(old, made)
    becomes["metadata"]["managedFields"] = []
    print(json.dumps(becomes))
else:
    sys.exit("error: this kubectl changes nothing: " + " ".join(words))
'''
