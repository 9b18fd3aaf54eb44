"""What makes two documents the same object: kind and name, within one namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True, order=True)
class Key:
    """An object, as kubectl takes it and shows it."""

    kind: str
    name: str

    @classmethod
    def of(cls, manifest: Manifest) -> Key:
        """The key of an object's document."""
        return cls(str(manifest.get("kind", "")), str(manifest.get("metadata", {}).get("name", "")))

    def __str__(self) -> str:
        """As in `kubectl get deployment/backend`."""
        return f"{self.kind.lower()}/{self.name}"
