"""Credentials stand in Secrets and nowhere else, and a Secret in use is never edited."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from policy.objects import At, containers, whole
from policy.rule import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.rule import Manifest

SHAPES = {
    "an address with a password": re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@\"']*:[^\s/@\"'$%{<]+@"),
    "an API key": re.compile(
        r"\b(?:sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|xox[abeprs]-[A-Za-z0-9-]{10,})"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a webhook": re.compile(r"hooks\.slack\.com/services/T\w+/B\w+/\w+"),
}
JWT = re.compile(r"\beyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+")
# Names that say what the value is; what browsers may know is called NEXT_PUBLIC_ by the frontend's framework.
NAMES = re.compile(
    r"(?!NEXT_PUBLIC_).*(?:PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|(?:API|PRIVATE|SERVICE|ENCRYPTION)_KEY)"
)


def credentials(manifest: Manifest) -> Iterator[Fault]:
    """No text outside of a Secret looks like a credential, and no plain variable is called like one."""
    for path, text in _scanned(manifest):
        for kind, shape in SHAPES.items():
            if shape.search(text):
                yield Fault(path, f"looks like {kind}")
        if any(_role(found[1]) != "anon" for found in JWT.finditer(text)):
            yield Fault(path, "looks like a token")
    for container in containers(manifest):
        for variable in container.here.parts("env"):
            if variable.get("value") and NAMES.fullmatch(str(variable.get("name"))):
                yield Fault(variable.below("value"), "its name says that it is a credential")


def _role(payload: str) -> str:
    """Of Supabase's tokens the one called `anon` is made for the public."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return ""
    return str(claims.get("role")) if isinstance(claims, dict) else ""


def immutable(manifest: Manifest) -> Iterator[Fault]:
    """A changed value is a new object and a rollout: going back finds the old one."""
    if manifest.get("kind") in ("Secret", "ConfigMap") and manifest.get("immutable") is not True:
        yield Fault("immutable", "not true")


def _scanned(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Every text of an object that anybody can read who may look at it, with its path."""
    top = whole(manifest)
    yield from _texts(top.part("metadata", "annotations"))
    if manifest.get("kind") == "ConfigMap":
        yield from _texts(top.part("data"))
    for container in containers(manifest):
        here = container.here
        for key in ("command", "args"):
            for number, text in enumerate(here.get(key) or []):
                yield f"{here.below(key)}[{number}]", str(text)
        for variable in here.parts("env"):
            yield variable.below("value"), str(variable.get("value") or "")


def _texts(here: At) -> Iterator[tuple[str, str]]:
    for key, text in here.value.items():
        yield f"{here.path}[{key}]", str(text)
