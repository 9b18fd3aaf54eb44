"""Reads a raw configuration into settings, or into one message that lists every fault with its remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import from_json

from model import profiles
from model.crossing import crossing_faults
from model.secrets import SECRET_KEYS, SECRETS, SecretSpec
from model.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

PROJECT = "orka-ppm"
# Under which sink each is needed. Tuples: what stands there may be a list, which no set can be asked for.
LOG_SECRETS = {
    "fluentd-shared-key": ("elasticsearch", "splunk", "file"),
    "elasticsearch-password": ("elasticsearch",),
    "splunk-hec-token": ("splunk",),
}
_REMOVE = {"extra_forbidden"}
_UNKNOWN = "is not a setting of this program"


class SettingsError(Exception):
    """Everything that is wrong with the configuration, a line each, and the command that mends it."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        head = f"the configuration has {count} fault{'s' if count != 1 else ''}; nothing was changed:"
        super().__init__("\n".join([head, *(f"  - {fault}" for fault in self.faults)]))


def read_settings(raw: Mapping[str, str], secrets: Mapping[str, str | None]) -> Settings:
    """The settings of a stack.

    Args:
        raw: every configuration value of the project by its key without the project's name, as Pulumi hands
            them on: structured ones as JSON text. Secrets may be among them and are left out.
        secrets: the value of each secret, or None where it is missing. Used for its rule, and not kept.

    Raises:
        SettingsError: with all faults at once.
    """
    document, faults = _document(raw)
    settings: Settings | None = None
    there = {(key,) for key in raw}
    try:
        settings = Settings.model_validate_json(json.dumps(profiles.complete(document)))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        # A group that is there and missing is one that could not be read, and is named already.
        faults += [
            _fault(detail) for detail in details if detail["type"] != "missing" or detail["loc"] not in there
        ]
    faults += secret_faults(secrets, document)
    if settings is not None:
        faults += [f"{PROJECT}:{fault}" for fault in crossing_faults(settings, secrets)]
    if settings is None or faults:
        raise SettingsError(faults)
    return settings


def _document(raw: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    groups = {field.alias or name for name, field in Settings.model_fields.items()}
    document: dict[str, Any] = {}
    faults: list[str] = []
    for key, text in sorted(raw.items()):
        if key in SECRET_KEYS:
            continue
        if key not in groups:
            faults.append(f"{PROJECT}:{key} {_UNKNOWN}: pulumi config rm {PROJECT}:{key}")
            continue
        value = _value(text)
        try:
            # What the settings are read by refuses more than the standard library, and names no place.
            from_json(json.dumps({key: value}))
        except (ValueError, RecursionError):
            faults.append(
                f"{PROJECT}:{key} holds half of a character (as \\ud800), or too deep lists: write it anew"
            )
        else:
            document[key] = value
    return document, faults


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def secret_faults(secrets: Mapping[str, str | None], document: Mapping[str, Any]) -> list[str]:
    """What is wrong with the secrets, values never shown."""
    return [
        f"{PROJECT}:{spec.key} {problem} ({spec.variable}: {spec.purpose}): "
        f"pulumi config set --secret {PROJECT}:{spec.key}"
        for spec in SECRETS
        if (problem := _problem(spec, secrets.get(spec.key), document)) is not None
    ]


def _problem(spec: SecretSpec, value: str | None, document: Mapping[str, Any]) -> str | None:
    if value is None:
        return "is missing" if spec.required or _needed(spec.key, document) else None
    return spec.rule(value)


def _needed(key: str, document: Mapping[str, Any]) -> bool:
    """Some secrets are needed only where a setting asks for them."""
    if key == "registry-password":
        registry = document.get("registry")
        return isinstance(registry, dict) and bool(registry.get("username"))
    if key in LOG_SECRETS:
        logging = document.get("logging", {})
        return isinstance(logging, dict) and logging.get("sink") in LOG_SECRETS[key]
    if key == "slack-webhook-url":
        verification = document.get("verification", {})
        return isinstance(verification, dict) and verification.get("announce") is True
    if key in ("check-email", "check-password"):
        verification = document.get("verification", {})
        return isinstance(verification, dict) and verification.get("enabled", True) is not False
    return False


def _fault(detail: ErrorDetails) -> str:
    steps = [str(step) for step in detail["loc"]]
    path = f"{PROJECT}:{'.'.join(steps)}"
    if detail["type"] in _REMOVE:
        return f"{path} {_UNKNOWN}: pulumi config rm --path '{path}'"
    if detail["type"] == "missing":
        return f"{path} is missing: pulumi config set --path '{path}' VALUE"
    if steps[:1] == ["images"] and len(steps) == len(("images", "NAME")) and detail["type"] == "value_error":
        path, value = f"{path}.digest", "sha256:…"
    else:
        value = "VALUE"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{path}: {message[:1].lower()}{message[1:]}: pulumi config set --path '{path}' {value}"
