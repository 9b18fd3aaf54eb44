"""The network namespaces of the twin's pods: found in every way that may be left, and removed."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from twin import commands, files, proc
from twin.node import image, network
from twin.paths import BRIDGE
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from twin.paths import Paths

FOLDER = Path("/run/netns")
CNI_CACHE = Path("/var/lib/cni/results")
PREFIX = "cni-"
SANDBOXES = 'labels."io.cri-containerd.kind"==sandbox'


def find(paths: Paths, shims: Iterable[int]) -> set[Path]:
    """The namespaces of the twin's pods, whether containerd and the pods still live or not.

    Args:
        paths: the twin's folders.
        shims: pids of the twin's container shims.
    """
    found = {*_linked(), *_held(shims), *_cached(), *_recorded(paths)}
    return {FOLDER / path.name for path in found if path.name.startswith(PREFIX)}


def remove(namespaces: Iterable[Path]) -> int:
    """Remove them and what CNI remembers of them; how many were there.

    Whoever calls `ip netns add` mounts the folder over itself, and every namespace in it a second time:
    such a one is removed as well.
    """
    names = {path.name for path in namespaces}
    removed = sum(_unlink(FOLDER / name) for name in names)
    for file, entry in _cache():
        if _is_ours(entry) or any(sandbox.name in names for sandbox in _sandboxes(entry)):
            file.unlink(missing_ok=True)
    return removed


def _unlink(path: Path) -> bool:
    commands.succeeds(["umount", "--lazy", str(path)])
    with contextlib.suppress(OSError):
        path.unlink()
        return True
    # Mounted a second time, where only a mount namespace without the upper layer can reach it.
    script = 'umount --lazy "$1"; umount --lazy "$2"; rm "$2"'
    private = ("unshare", "--mount", "--propagation", "private")
    return commands.succeeds([*private, "sh", "-c", script, "sh", str(path.parent), str(path)])


def _linked() -> Iterator[Path]:
    """Those with a link to the bridge."""
    try:
        links = commands.run(["ip", "-details", "link", "show", "master", BRIDGE])
    except StepError:
        return
    for words in (line.split() for line in links.splitlines()):
        if "link-netns" in words:
            yield FOLDER / words[words.index("link-netns") + 1]


def _held(shims: Iterable[int]) -> Iterator[Path]:
    """Those that a process below the shims is in."""
    held = set()
    for pid in proc.descendants(set(shims)):
        with contextlib.suppress(OSError):
            held.add(Path(f"/proc/{pid}/ns/net").stat().st_ino)
    if FOLDER.is_dir():
        yield from (path for path in FOLDER.iterdir() if path.stat().st_ino in held)


def _cached() -> Iterator[Path]:
    """Those that CNI added to the twin's network and has not taken out."""
    for _, entry in _cache():
        if _is_ours(entry):
            yield from _sandboxes(entry)


def _recorded(paths: Paths) -> Iterator[Path]:
    """Those of containerd's sandboxes, stopped ones too; none when it does not answer."""
    try:
        files.accepts(paths.containerd_socket)
        sandboxes = commands.run([*image.ctr(paths), "containers", "ls", "-q", SANDBOXES]).split()
        entries = [commands.run([*image.ctr(paths), "containers", "info", name]) for name in sandboxes]
    except (OSError, StepError):
        return
    for entry in entries:
        for space in json.loads(entry).get("Spec", {}).get("linux", {}).get("namespaces", []):
            if space.get("type") == "network" and space.get("path"):
                yield Path(space["path"])


def _cache() -> Iterator[tuple[Path, dict[str, object]]]:
    for file in CNI_CACHE.glob("*") if CNI_CACHE.is_dir() else ():
        with contextlib.suppress(OSError, ValueError):
            yield file, json.loads(file.read_text())


def _is_ours(entry: dict[str, object]) -> bool:
    return entry.get("networkName") == network.CNI_NETWORK


def _sandboxes(entry: dict[str, object]) -> list[Path]:
    result = entry.get("result")
    interfaces = result.get("interfaces") if isinstance(result, dict) else None
    return [Path(each["sandbox"]) for each in interfaces or [] if each.get("sandbox")]
