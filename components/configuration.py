"""The one place that reads Pulumi's configuration: plain settings, and secrets as Outputs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pulumi.runtime

from model.faults import SettingsError, read_settings
from model.project import OWN_IMAGES, PROJECT
from model.secrets import SECRET_KEYS, SECRETS
from model.settings import Build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings


@dataclass(frozen=True)
class Secrets:
    """The given secrets, each as a secret Output; a missing optional one is not there."""

    values: Mapping[str, pulumi.Output[str]]

    def __getitem__(self, key: str) -> pulumi.Output[str]:
        """The secret of that key."""
        return self.values[key]

    def get(self, key: str) -> pulumi.Output[str] | None:
        """The secret of that key, or None where it is optional and missing."""
        return self.values.get(key)


def load() -> tuple[Settings, Secrets]:
    """The stack's settings and secrets.

    Raises:
        pulumi.RunError: with every fault at once, before any resource is registered.
    """
    config = pulumi.Config(PROJECT)
    raw = _own_values()
    # Read here for its format rule only; what is handed on stays marked as a secret.
    plain = {key: config.get(key) for key in SECRET_KEYS}
    try:
        settings = read_settings(raw, plain, missing_contexts(raw))
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    given = {spec.key: config.require_secret(spec.key) for spec in SECRETS if plain[spec.key] is not None}
    return settings, Secrets(given)


def missing_contexts(raw: Mapping[str, str]) -> list[str]:
    """Every file that an image would be built from and that is not there, whatever else is wrong."""
    faults = []
    for name in OWN_IMAGES:
        build = _build(raw, name)
        if build is None:
            continue
        dockerfile = build.dockerfile or f"{build.context}/Dockerfile"
        for key, path, found in (
            ("context", build.context, Path(build.context).is_dir()),
            ("dockerfile", dockerfile, Path(dockerfile).is_file()),
        ):
            if not found:
                at = f"{PROJECT}:images.{name}.build.{key}"
                faults.append(
                    f"{at}: there is no {path} in the program's folder: pulumi config set --path '{at}' PATH"
                )
    return faults


def _build(raw: Mapping[str, str], name: str) -> Build | None:
    """How an image is built, where the settings say it well; their own rules name what is wrong."""
    try:
        return Build.model_validate_json(json.dumps(json.loads(raw["images"])[name]["build"]))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _own_values() -> dict[str, str]:
    """All values of this project's namespace, read where the SDK reads: it offers no list of keys."""
    everything = {**pulumi.runtime.config.get_config_env(), **pulumi.runtime.config.CONFIG.get()}
    prefix = f"{PROJECT}:"
    return {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
