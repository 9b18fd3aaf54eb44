"""What a build context holds, as a tag: the same files, the same tag; another file, another tag.

A digest is what runs; the tag only keeps it from being untagged in the registry by the next build.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

IGNORE_FILE = ".dockerignore"
LENGTH = 16
_GLOBS = {"**/": r"(?:.+/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}


def context_tag(context: str, dockerfile: str | None) -> str:
    """The first 16 hex digits of the SHA-256 over names, executable bits and contents of what Docker is sent.

    Args:
        context: the folder, relative to the program's.
        dockerfile: likewise; the context's own `Dockerfile` when None.

    Raises:
        OSError: a file cannot be read.
    """
    root = Path(context)
    recipe = Path(dockerfile) if dockerfile else root / "Dockerfile"
    hashed = hashlib.sha256()
    for name, file in [*sent_files(root), ("Dockerfile", recipe)]:
        executable = os.access(file, os.X_OK)
        content = file.read_bytes()
        hashed.update(f"{name}\0{int(executable)}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()[:LENGTH]


def sent_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Every file below `root` that its `.dockerignore` lets through, by its path there, in order."""
    ignore = root / IGNORE_FILE
    rules = parse_ignore(ignore.read_text(encoding="utf-8") if ignore.is_file() else "")
    for folder, folders, files in os.walk(root):
        at = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if _may_hold_sent(rules, (at / name).as_posix()))
        for name in sorted(files):
            path = (at / name).as_posix()
            if not ignored(rules, path):
                yield path, root / path


def parse_ignore(text: str) -> list[tuple[re.Pattern[str], bool, str]]:
    """The rules of a `.dockerignore` in their order: pattern, whether it ignores, and its text."""
    rules = []
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").strip().strip("/").removeprefix("./")
        rules.append((_expression(pattern), not line.startswith("!"), pattern))
    return rules


def ignored(rules: Sequence[tuple[re.Pattern[str], bool, str]], path: str) -> bool:
    """Whether a file is left out: the last rule that matches it, or a folder that it lies in, decides."""
    parts = path.split("/")
    places = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    decided = False
    for pattern, ignores, _ in rules:
        if any(pattern.fullmatch(place) for place in places):
            decided = ignores
    return decided


def _may_hold_sent(rules: Sequence[tuple[re.Pattern[str], bool, str]], folder: str) -> bool:
    """Whether Docker looks into a folder: it is not left out, or an exception names it or more below it."""
    return not ignored(rules, folder) or any(
        f"{text}/".startswith(f"{folder}/") for _, ignores, text in rules if not ignores
    )


def _expression(pattern: str) -> re.Pattern[str]:
    """Docker's form of a glob: `*` and `?` stay within a name, `**` crosses folders, `[…]` is a class."""
    found = []
    for part in re.split(r"(\*\*/?|\*|\?|\[[^\]]*\])", pattern):
        is_class = part.startswith("[") and part.endswith("]")
        found.append(_GLOBS.get(part) or (part if is_class else re.escape(part)))
    return re.compile("".join(found))
