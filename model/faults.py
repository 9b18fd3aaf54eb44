"""Reads a raw configuration into settings, or into one message that lists every fault with its remedy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from model import profiles
from model.cross_setting_rules import crossing_faults
from model.project import PROJECT
from model.secrets import SECRET_KEYS, SECRETS, SecretSpec
from model.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

# Under which sink each is needed. Tuples: what stands there may be a list, which no set can be asked for.
LOG_SECRETS = {
    "fluentd-shared-key": ("elasticsearch", "splunk", "file"),
    "elasticsearch-password": ("elasticsearch",),
    "splunk-hec-token": ("splunk",),
}
_GROUPS: Mapping[str, tuple[str, type[BaseModel]]] = {
    field.alias or name: (name, cast("type[BaseModel]", field.annotation))
    for name, field in Settings.model_fields.items()
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


def read_settings(
    raw: Mapping[str, str], secrets: Mapping[str, str | None], also: Iterable[str] = ()
) -> Settings:
    """The settings of a stack.

    Args:
        raw: every configuration value of the project by its key without the project's name, as Pulumi hands
            them on: structured ones as JSON text. Secrets may be among them and are left out.
        secrets: the value of each secret, or None where it is missing. Used for its rule, and not kept.
        also: faults that were found elsewhere, to be told with the others.

    Raises:
        SettingsError: with all faults at once.
    """
    document, faults = _document(raw)
    broken = _GROUPS.keys() & raw.keys() - document.keys()
    settings: Settings | None = None
    try:
        settings = Settings.model_validate_json(json.dumps(profiles.complete(document)))
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            # A group that is there and missing is one that could not be read, and is named already.
            if detail["type"] != "missing" or detail["loc"][-1] not in broken:
                faults.append(_fault(detail))
            broken |= {str(step) for step in detail["loc"][:1]}
    faults += [*secret_faults(secrets, document), *also]
    right = settings if settings is not None and not broken else _without(broken, document)
    crossing = crossing_faults(right, secrets, partial=bool(broken))
    faults += [f"{PROJECT}:{fault}" for fault in crossing]
    if settings is None or faults:
        raise SettingsError(faults)
    return settings


def _without(broken: set[str], document: Mapping[str, Any]) -> Settings:
    """The groups that are right alone; whoever asks for another gets an AttributeError."""
    whole = profiles.complete(document)
    groups: dict[str, Any] = {
        name: kind.model_validate_json(json.dumps(whole.get(key, {})))
        for key, (name, kind) in _GROUPS.items()
        if key not in broken
    }
    settings = Settings.model_construct(None, **groups)
    for name in settings.__dict__.keys() - groups.keys():
        # A default, in place of what was meant.
        del settings.__dict__[name]
    return settings


def _document(raw: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    document: dict[str, Any] = {}
    faults: list[str] = []
    for key, text in sorted(raw.items()):
        if key in SECRET_KEYS:
            continue
        if key not in _GROUPS:
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
    path = f"{PROJECT}:{steps[0]}" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}" for step in detail["loc"][1:]
    )
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
