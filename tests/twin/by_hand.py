"""The namespace as the guide's own commands make it, on the twin: with its images and logins."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import yaml

from tests.checkout import CHECKOUT
from twin import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.twin.stack import Stack
    from twin.paths import Paths

FOLDER = CHECKOUT / "tests" / "twin" / "handmade"
RELEASE = "by-hand"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "staging"}}


def make(stack: Stack, paths: Paths) -> None:
    """Take the stack away, and apply what somebody with the guide alone would have applied."""
    made = [NAMESPACE, *_logins(stack, paths), *_manifests(stack.outputs()["images"])]
    remove(stack)
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": made})
    applied = stack.run("kubectl", "apply", "--filename", "-", stdin=items)
    assert applied.code == 0, applied
    for name in ("backend", "frontend"):
        stack.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")


def remove(stack: Stack) -> None:
    """Take away what the stack has, and what it left alone."""
    gone = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone
    done = stack.run("kubectl", "delete", "namespace", "staging", "--ignore-not-found", "--timeout=120s")
    assert done.code == 0, done


def _manifests(images: dict[str, str]) -> Iterator[dict[str, Any]]:
    """The files as they stand, but for the images, and for the Secret whose values are made up."""
    for file in sorted(FOLDER.glob("*.yaml")):
        text = file.read_text()
        for name in ("backend", "frontend"):
            text = text.replace(f"registry.example.com/orka-ppm-{name}:staging", images[name])
        text = text.replace("registry.example.com/fluentd:staging", "orka.twin/busybox:1")
        yield from (one for one in yaml.safe_load_all(text) if one["metadata"]["name"] != "backend-env")


def _logins(stack: Stack, paths: Paths) -> list[dict[str, Any]]:
    """The backend's variables as one Secret, the administrator's login in it; the registry's."""
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    container = pod["containers"][0]
    secret = stack.manifest("secret", container["envFrom"][0]["secretRef"]["name"])
    pull = stack.manifest("secret", pod["imagePullSecrets"][0]["name"])
    variables = {item["name"]: item["value"] for item in container["env"]}
    variables |= {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    variables |= {"DATABASE_URL": database.admin_url(paths), "ORKA_RELEASE": RELEASE}
    return [
        _secret("backend-env", "Opaque", stringData=variables),
        _secret("registry-login", pull["type"], data=pull["data"]),
    ]


def _secret(name: str, kind: str, **values: dict[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "staging"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, **values}
