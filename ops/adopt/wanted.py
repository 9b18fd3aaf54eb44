"""Reads `pulumi preview --json --show-sames`: what an `up` makes, and what the stack has. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.adopt.key import Manifest

from ops.adopt.key import Key

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How Pulumi writes a value that only the `up` itself will know."""

SECRET = "[secret]"  # noqa: S105 - how Pulumi writes a value that it does not show

_MAKES = "create"
_TYPES = "kubernetes:"


class PreviewError(RuntimeError):
    """The preview is no JSON, is not complete, or names no namespace."""


@dataclass(frozen=True, kw_only=True)
class PreviewedObjects:
    """What `up` makes, and what is the stack's already."""

    namespace: str
    makes: tuple[Manifest, ...]
    owned: frozenset[Key]


def read(text: str) -> PreviewedObjects:
    """Return what a preview says of Kubernetes' objects.

    Raises:
        PreviewError: the text is no whole preview of this program.
    """
    try:
        document = json.loads(text)
        steps = document["steps"]
    except (ValueError, KeyError, TypeError):
        raise PreviewError("it is not the JSON of `pulumi preview --json --show-sames`") from None
    if fault := _fault(document):
        raise PreviewError(fault)
    found = [(step.get("op"), manifest) for step in steps for manifest in _manifests(step)]
    namespaces = [made["metadata"]["name"] for _, made in found if made.get("kind") == "Namespace"]
    if not namespaces:
        raise PreviewError("it names no Namespace: take it with --show-sames, and of the whole stack")
    makes = tuple(made for op, made in found if op == _MAKES)
    owned = frozenset(Key.of(made) for op, made in found if op != _MAKES)
    return PreviewedObjects(namespace=str(namespaces[0]), makes=makes, owned=owned)


def is_complete(value: Any) -> bool:
    """Whether every value is there: none that only the `up` will know, none that is hidden."""
    if isinstance(value, dict):
        return all(is_complete(item) for item in value.values())
    if isinstance(value, list):
        return all(is_complete(item) for item in value)
    return not isinstance(value, str) or (UNKNOWN not in value and SECRET not in value)


def _fault(document: dict[str, Any]) -> str | None:
    """The first error among what the engine said."""
    for said in document.get("diagnostics") or []:
        if said.get("severity") == "error":
            lines = [line.strip() for line in str(said.get("message", "")).splitlines() if line.strip()]
            return " ".join(lines)
    return None


def _manifests(step: dict[str, Any]) -> Iterator[Manifest]:
    state = step.get("newState") or step.get("oldState") or {}
    manifest = state.get("inputs") or {}
    name = manifest.get("metadata", {}).get("name") if isinstance(manifest.get("metadata"), dict) else None
    if str(state.get("type", "")).startswith(_TYPES) and name and manifest.get("kind"):
        yield manifest
