"""No secret value anywhere but in the cluster's Secrets; and a planted one would be found."""

from __future__ import annotations

import base64
import json
import urllib.parse
from typing import TYPE_CHECKING

from tests.twin.conftest import PATHS
from twin.stack_file import given_secrets

if TYPE_CHECKING:
    from tests.twin.stack import Stack

# An address is no secret; these are.
PUBLIC = {"check-email", "supabase-key"}


def _forms(value: str) -> set[str]:
    """How a value may be written: plain, base64, for a URL, for JSON."""
    encoded = base64.b64encode(value.encode()).decode()
    return {value, encoded, urllib.parse.quote(value, safe=""), json.dumps(value)[1:-1]}


def _canaries() -> dict[str, str]:
    found = {key: value for key, value in given_secrets(PATHS).items() if key not in PUBLIC}
    url = urllib.parse.urlsplit(found.pop("database-admin-url"))
    return {**found, "admin-password": url.password or ""}


def _leaks(text: str) -> set[str]:
    return {key for key, value in _canaries().items() if any(form in text for form in _forms(value))}


def _places(stack: Stack) -> dict[str, str]:
    """Everything that people and other programs read."""
    kinds = "configmaps,deployments,jobs,cronjobs,pods,ingresses,services,events"
    state = "".join(
        file.read_text(errors="replace") for file in PATHS.pulumi_state.rglob("*.json") if file.is_file()
    )
    return {
        "preview": stack.preview("--diff").output,
        "up": stack.up("--diff").output,
        "outputs": json.dumps(stack.outputs()),
        "state": state,
        "stack file": PATHS.stack_file.read_text(),
        "objects": stack.kubectl("get", kinds, "--output", "json"),
        "logs": _logs(stack),
    }


def _logs(stack: Stack) -> str:
    """What every pod said; one that has ended since it was listed has nothing to say any more."""
    pods = stack.kubectl("get", "pods", "--output", "name").split()
    said = [stack.run("kubectl", "--namespace", "staging", "logs", pod, "--all-containers") for pod in pods]
    assert all(one.code == 0 or "not found" in one.output for one in said), said
    assert any(one.code == 0 and one.output for one in said), "no log was read"
    return "".join(one.output for one in said)


def test_no_secret_stands_where_people_and_programs_read(deployed: Stack) -> None:
    leaks = {place: found for place, text in _places(deployed).items() if (found := _leaks(text))}
    assert leaks == {}


def test_a_planted_secret_is_found_in_every_form(deployed: Stack) -> None:
    key, value = next(iter(_canaries().items()))
    for form in _forms(value):
        deployed.kubectl("create", "configmap", "planted", f"--from-literal=text=before {form} after")
        try:
            assert key in _leaks(deployed.kubectl("get", "configmaps", "--output", "json"))
        finally:
            deployed.kubectl("delete", "configmap", "planted")
