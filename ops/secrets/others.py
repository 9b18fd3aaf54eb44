"""What else stands in the guide's file: variables that are no secrets, which the stack file decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.secrets import SECRETS, jwt_role
from model.variables import SETTING_OF

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = "NEXT_PUBLIC_"
"""What begins so is built into the page, for every browser to read."""
_SECRET = {spec.variable for spec in SECRETS}


def public_faults(variables: Mapping[str, str]) -> list[str]:
    """Public variables that hold a key which opens more than the anon key does, values never shown."""
    roles = {name: jwt_role(value) for name, value in variables.items() if name.startswith(PUBLIC)}
    return [
        f"{name} would give every browser a JWT of the role {role or 'nobody'}: give the anon key, "
        "and replace the key that stood here"
        for name, role in roles.items()
        if role not in (None, "anon")
    ]


def left_out(variables: Mapping[str, str]) -> list[str]:
    """Each variable that is not imported, with the setting that says it."""
    return [f"{name} ({_setting(name)})" for name in variables if name not in _SECRET]


def _setting(name: str) -> str:
    if name in SETTING_OF:
        return SETTING_OF[name]
    return "the image's build" if name.startswith(PUBLIC) else f"backend.env.{name}"
