"""Questions to the kernel about processes: who is a pid, and is it still the same one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from signal import pidfd_send_signal

PROC = Path("/proc")


@dataclass(frozen=True)
class Identity:
    """What makes a process itself: a pid is used again, a pid with its start time and boot is not."""

    pid: int
    start_ticks: int
    boot: str


def boot_id() -> str:
    """The kernel's identifier of this boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> Identity | None:
    """The identity of a live process; None when there is none or it is a zombie."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name in parentheses may itself hold spaces and parentheses: count fields after the last one.
    fields = text.rpartition(")")[2].split()
    state, start_ticks = fields[0], int(fields[19])
    return None if state in "ZX" else Identity(pid, start_ticks, boot_id())


def started(identity: Identity) -> float:
    """When a process of this boot was started, in seconds since 1970."""
    for line in (PROC / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1]) + identity.start_ticks / os.sysconf("SC_CLK_TCK")
    raise OSError("the kernel does not say when it was booted")


def alive(identity: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identify(identity.pid) == identity


def send(identity: Identity, number: int) -> bool:
    """Send a signal to exactly this process; False when it no longer runs."""
    if not alive(identity):
        return False
    try:
        descriptor = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        # The descriptor holds on to one process: asked again, so that the pid cannot change hands in between.
        if not alive(identity):
            return False
        pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def argv(pid: int) -> list[str]:
    """The command line of a process; empty when it has none or is gone."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.rstrip(b"\0").split(b"\0")] if raw else []


def pids() -> list[int]:
    """All pids of now."""
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def parents() -> dict[int, int]:
    """Each pid's parent."""
    found: dict[int, int] = {}
    for pid in pids():
        try:
            text = (PROC / str(pid) / "stat").read_text()
        except OSError:
            continue
        found[pid] = int(text.rpartition(")")[2].split()[1])
    return found


def descendants(roots: set[int]) -> set[int]:
    """The processes below these, without them."""
    below = parents()
    found: set[int] = set()
    frontier = set(roots)
    while frontier:
        frontier = {pid for pid, parent in below.items() if parent in frontier} - found - roots
        found |= frontier
    return found
