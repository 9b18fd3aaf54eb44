"""What a run of the checks found red, and what of it a healthy release is to be blamed for. Pure."""

from __future__ import annotations

from typing import Any

BY_CIRCUMSTANCE = {"api-latency", "embeddings-current"}
"""They depend on how busy the machine is and on what tests before left, and fail no release by themselves."""


def red(found: dict[str, Any]) -> dict[str, str]:
    """Every check that did not pass, critical or not, with its reason."""
    return {check["name"]: check["reason"] for check in found["checks"] if check["verdict"] != "passed"}


def false_alarms(found: dict[str, Any]) -> dict[str, str]:
    """What must not be red on a healthy release: a check that only degrades leaves the verdict green."""
    return {name: reason for name, reason in red(found).items() if name not in BY_CIRCUMSTANCE}
