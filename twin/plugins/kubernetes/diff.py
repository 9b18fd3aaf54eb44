"""Diff: which properties changed, and which of those changes need a new object."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twin.plugins.kubernetes import objects
from twin.plugins.wire import UNKNOWN, reveal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.plugins.kubernetes.config import ProviderConfig
    from twin.plugins.kubernetes.kinds import Kind

ADD, DELETE, UPDATE = "ADD", "DELETE", "UPDATE"
IDENTITY = ("metadata.name", "metadata.namespace")
UNREADY_KEY = f'.metadata.annotations["{objects.REPLACE_UNREADY}"]'
Path = tuple[str | int, ...]


@dataclass
class Difference:
    """The answer to Diff: change kinds by property path, and the paths that force a replacement."""

    changes: dict[str, str] = field(default_factory=dict)
    replaces: list[str] = field(default_factory=list)
    delete_first: bool = False

    @property
    def any(self) -> bool:
        """Whether there is something to do."""
        return bool(self.changes or self.replaces)


def compare(
    kind: Kind,
    olds: objects.Object,
    news: objects.Object,
    config: ProviderConfig,
    *,
    unready: bool = False,
    ignored: list[str] | None = None,
) -> Difference:
    """Old against new inputs; `unready` says that the live object calls for a replacement by itself."""
    result = Difference()
    rules = [*IDENTITY, *_replace_rules(kind, news, config)]
    for path, change in _changes(reveal(olds), reveal(news), ()):
        text = path_text(path)
        if any(text == ignore or text.startswith((f"{ignore}.", f"{ignore}[")) for ignore in ignored or []):
            continue
        result.changes[text] = change
        if any(_under(path, rule) for rule in rules):
            result.changes[text] = f"{change}_REPLACE"
            result.replaces.append(text)
    if unready:
        result.replaces.append(UNREADY_KEY)
    result.delete_first = bool(
        result.replaces
        and not objects.switched_on(news, objects.AUTONAMED)
        and objects.qualified_name(news) == objects.qualified_name(olds)
    )
    return result


def _replace_rules(kind: Kind, news: objects.Object, config: ProviderConfig) -> tuple[str, ...]:
    """The kind's rules; contents may change in place where the provider says so and the object allows it."""
    mutable = {"ConfigMap": "enableConfigMapMutable", "Secret": "enableSecretMutable"}.get(kind.name)
    if mutable and config.flag(mutable) and news.get("immutable") is not True:
        return tuple(rule for rule in kind.replace_on if rule == "type")
    return kind.replace_on


def _changes(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _member(old.get(key), new.get(key), (*path, key), key in old, key in new)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            has_old, has_new = index < len(old), index < len(new)
            yield from _member(
                old[index] if has_old else None,
                new[index] if has_new else None,
                (*path, index),
                has_old,
                has_new,
            )
    elif not _same(old, new):
        yield path, UPDATE


def _member(old: Any, new: Any, path: Path, has_old: bool, has_new: bool) -> Iterator[tuple[Path, str]]:
    if has_old and has_new:
        yield from _changes(old, new, path)
    else:
        yield path, ADD if has_new else DELETE


def _same(old: Any, new: Any) -> bool:
    if old is UNKNOWN or new is UNKNOWN:
        return False
    # True == 1 in Python, not in a manifest.
    return isinstance(old, bool) == isinstance(new, bool) and bool(old == new)


def _under(path: Path, rule: str) -> bool:
    """Whether a path is the rule's property, lies below it, or contains it as a whole."""
    wanted = rule.split(".")
    length = min(len(wanted), len(path))
    return [str(part) for part in path[:length]] == wanted[:length]


def path_text(path: Path) -> str:
    """A property path as the engine writes it: `a.b[0]["c.d"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif any(mark in part for mark in '.[]"'):
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
        else:
            text += f".{part}" if text else part
    return text
