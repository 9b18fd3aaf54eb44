"""Where two answers differ, and recorded ones that were spoilt on purpose. Pure."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def never(_path: str, _recorded: Any, _got: Any) -> bool:
    """Nothing is taken for the same that is not equal."""
    return False


def differences(
    recorded: Any, got: Any, same: Callable[[str, Any, Any], bool] = never, path: str = ""
) -> Iterator[str]:
    """Where two answers differ, as `path: recorded → got`; `same` takes unequal values for the same."""
    if recorded == got or same(path, recorded, got):
        return
    if isinstance(recorded, dict) and isinstance(got, dict):
        for key in sorted(recorded.keys() | got.keys()):
            yield from differences(recorded.get(key), got.get(key), same, f"{path}.{key}")
    elif isinstance(recorded, list) and isinstance(got, list):
        for index in range(max(len(recorded), len(got))):
            ours = got[index] if index < len(got) else None
            theirs = recorded[index] if index < len(recorded) else None
            yield from differences(theirs, ours, same, f"{path}[{index}]")
    else:
        yield f"{path}: {recorded!r} → {got!r}"


def corrupted(response: dict[str, Any] | None, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy of a recorded answer with another value at `path`, which must be there."""
    copied: dict[str, Any] = copy.deepcopy(response or {})
    inner: Any = copied
    for key in path[:-1]:
        inner = inner[key]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    return copied


def has(value: Any, path: tuple[str, ...]) -> bool:
    """Whether an answer has something at `path`."""
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return True
