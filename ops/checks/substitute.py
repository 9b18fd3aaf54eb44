"""Fills `${name}` in what a call sends and expects with what earlier calls gave. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")


class MissingError(LookupError):
    """Nothing was captured under a name; the message says which."""


def fill(value: Any, captured: Mapping[str, Any]) -> Any:
    """Return the same value, text by text. A text that is one name alone becomes what was captured as it is.

    Raises:
        MissingError: a name was not captured, for the call that gives it did not pass.
    """
    if isinstance(value, dict):
        return {key: fill(item, captured) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(fill(item, captured) for item in value)
    if not isinstance(value, str):
        return value
    if whole := _NAME.fullmatch(value):
        return _of(whole[1], captured)
    return _NAME.sub(lambda found: str(_of(found[1], captured)), value)


def _of(name: str, captured: Mapping[str, Any]) -> Any:
    if name not in captured:
        raise MissingError(f"needs {name}, which no call before it gave")
    return captured[name]
