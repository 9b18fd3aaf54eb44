"""The release id: one short name for what is deployed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings

LENGTH = 12
RELEASE = "orka-ppm/release"
"""The annotation that has it."""
# How the cluster is reached, and the switch for one single `up`, are no part of what is deployed.
NOT_DEPLOYED: dict[str, bool | set[str]] = {
    "cluster": {"kubeconfig", "context", "take_over"},
    "images": True,
    "registry": True,
}


def release_id(settings: Settings, images: Mapping[str, str], sql: Mapping[str, str]) -> str:
    """The first 12 hex digits of the SHA-256 of canonical JSON: the same inputs, the same id.

    Args:
        settings: of the stack; it holds no secret.
        images: reference by digest of every image.
        sql: checksum by path of every SQL file.
    """
    document = {
        "images": dict(images),
        "settings": settings.model_dump(mode="json", by_alias=True, exclude=NOT_DEPLOYED),
        "sql": dict(sql),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]
