"""The JSON schema of `Pulumi.staging.yaml`, for editors: the settings, the secrets, and Pulumi's own keys."""

from __future__ import annotations

from typing import Any

from model.project import PROJECT
from model.secrets import SECRETS
from model.settings import Settings

_ENCRYPTED = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def stack_schema() -> dict[str, Any]:
    """The whole file. No group is required: an ESC environment may bring it."""
    settings = Settings.model_json_schema(by_alias=True)
    groups = {f"{PROJECT}:{name}": group for name, group in settings["properties"].items()}
    secrets = {
        f"{PROJECT}:{spec.key}": {"$ref": "#/$defs/Encrypted", "description": spec.purpose}
        for spec in SECRETS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of Orka PPM's audit trail",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": groups | secrets,
                # Keys of other namespaces are Pulumi's and its providers'.
                "patternProperties": {f"^(?!{PROJECT}:)": True},
                "additionalProperties": False,
            },
            "environment": {"type": ["array", "object"]},
            "secretsprovider": {"type": "string"},
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
        },
        "additionalProperties": False,
        "$defs": {**settings["$defs"], "Encrypted": _ENCRYPTED},
    }
