"""What the stack file says, for commands that have to know it without asking Pulumi."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from model.settings_cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).parents[1]
ELSEWHERE = "PULUMI_OPTION_CONFIG_FILE"
"""Pulumi's own variable: where it is set, the stack file is that one."""


class StackFileError(Exception):
    """There is no stack file, or it cannot be read; the message names it."""


def read(stack: str) -> dict[str, Any]:
    """Return the settings by key, such as `orka-ppm:cluster`; secrets are in them as ciphertexts.

    Raises:
        StackFileError: there are none.
    """
    named = os.environ.get(ELSEWHERE)
    file = Path(named) if named else CHECKOUT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    try:
        return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["config"])
    except OSError as error:
        raise StackFileError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, yaml.YAMLError):
        raise StackFileError(f"{file}: is no stack file with settings") from None


def namespace(settings: Mapping[str, Any]) -> str:
    """Return the application's namespace by these settings."""
    return str((settings.get("orka-ppm:cluster") or {}).get("namespace") or default_namespace())


def default_namespace() -> str:
    """Return that of settings which do not say it."""
    return Cluster().namespace
