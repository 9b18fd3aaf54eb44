"""Ends a twin: processes, containers, mounts, namespaces, bridge, chains. Nothing by a broad name.

What is ended is known by the records in the user's state folder, by containerd's socket on a shim's
command line, by a mount's place below the twin's folders, by a namespace's link to the twin's bridge.
So it works without the checkout, after a crash, and twice.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from twin import commands, ownership, proc
from twin import paths as twin_paths
from twin.node import namespaces
from twin.processes import Supervisor, end
from twin.steps import Step, StepError
from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twin.paths import Paths

CONTAINER_LOGS = Path("/var/log/containers")
# Made by the kubelet whatever its root folder is.
KUBELET_FOLDERS = (Path("/var/lib/kubelet/device-plugins"), Path("/var/lib/kubelet"))
CGROUPS = Path("/sys/fs/cgroup")
OCTAL = re.compile(r"\\([0-7]{3})")
MOUNTS = Path("/proc/self/mountinfo")
KILL_TIMEOUT_S = 10.0
UNMOUNT_ROUNDS = 5
# Ended first: what would start containers again, or would wait for them.
FIRST = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy", "edge")
TABLES = ("filter", "nat", "mangle")
CHAINS = ("KUBE-", "ORKA-TWIN-")
PROGRAMS = ("iptables", "ip6tables")


def steps(paths: Paths) -> list[Step]:
    """The steps of `twin down`, in their order; each finds what is there and may be repeated."""
    supervisor = Supervisor(paths)
    found: set[Path] = set()

    def containers() -> str:
        found.update(namespaces.find(paths, [shim.pid for shim in shims(paths)]))
        return _end_containers(paths)

    def others() -> str:
        ended = [record.name for record in reversed(supervisor.records()) if supervisor.stop(record.name)]
        return f"ended {len(ended)}" if ended else "none ran"

    return [
        Step("kubelet and controllers", lambda: _end_named(supervisor, FIRST)),
        Step("containers", containers),
        Step("processes", others),
        Step("mounts", lambda: _unmount(paths)),
        Step("network", lambda: _network(found)),
        Step("leftovers", lambda: _leftovers(paths)),
        Step("record", lambda: _release(paths)),
    ]


def remaining(paths: Paths) -> list[str]:
    """What of a twin is still on the machine; empty after a `twin down`."""
    found = [
        f"process {record.name} ({record.pid})" for record in Supervisor(paths).records() if record.running
    ]
    found += [f"container shim {identity.pid}" for identity in shims(paths)]
    found += [f"mount {place}" for place in _mounts(paths)]
    if commands.succeeds(["ip", "link", "show", twin_paths.BRIDGE]):
        found.append(f"bridge {twin_paths.BRIDGE}")
    for program, table in itertools.product(PROGRAMS, TABLES):
        found += [f"chain {name} ({program} {table})" for name in _chains(_rules(program, table))]
    return found


def _end_named(supervisor: Supervisor, names: Iterable[str]) -> str:
    ended = [name for name in names if supervisor.stop(name)]
    return f"ended {len(ended)}" if ended else "none ran"


def shims(paths: Paths) -> list[proc.Identity]:
    """The shims of the twin's containerds (the node's and Docker's), told from others by their socket."""
    found = [pid for pid in proc.pids() if _is_shim(proc.argv(pid), paths.run)]
    return [identity for pid in found if (identity := proc.identify(pid))]


def _is_shim(words: list[str], run: Path) -> bool:
    """Whether a command line is that of a shim whose containerd listens below the twin's run folder."""
    if not words or not Path(words[0]).name.startswith("containerd-shim"):
        return False
    return any(
        flag == "-address" and Path(value).is_relative_to(run) for flag, value in itertools.pairwise(words)
    )


def _end_containers(paths: Paths) -> str:
    """SIGKILL to what runs below the shims, then to the shims."""
    outer = shims(paths)
    inside = [proc.identify(pid) for pid in proc.descendants({shim.pid for shim in outer})]
    for identity in [*(entry for entry in inside if entry), *outer]:
        proc.send(identity, signal.SIGKILL)
    for identity in [*(entry for entry in inside if entry), *outer]:
        end(identity, KILL_TIMEOUT_S, signal.SIGKILL)
    return f"ended {len(outer)}" if outer else "none ran"


def _mounts(paths: Paths) -> list[Path]:
    """Mount points below the twin's folders, the deepest first."""
    places = []
    for line in MOUNTS.read_text().splitlines():
        # The kernel writes blanks and backslashes of a path as octal numbers, and marks deleted folders.
        place = OCTAL.sub(lambda found: chr(int(found[1], 8)), line.split()[4]).removesuffix("//deleted")
        if any(Path(place).is_relative_to(root) for root in (paths.data, paths.run, cache_root())):
            places.append(Path(place))
    return sorted(places, key=lambda place: len(place.parts), reverse=True)


def _unmount(paths: Paths) -> str:
    count = 0
    for _ in range(UNMOUNT_ROUNDS):
        places = _mounts(paths)
        if not places:
            break
        for place in places:
            # Lazy: a folder that was deleted below its mount cannot be unmounted otherwise.
            count += commands.succeeds(["umount", "--lazy", str(place)])
    left = _mounts(paths)
    if left:
        raise StepError(f"still mounted: {', '.join(map(str, left[:5]))}")
    return f"unmounted {count}" if count else "none"


def _network(found: set[Path]) -> str:
    done = namespaces.remove(found)
    if commands.succeeds(["ip", "link", "show", twin_paths.BRIDGE]):
        for line in _output(["ip", "-oneline", "link", "show", "master", twin_paths.BRIDGE]).splitlines():
            device = line.split(":")[1].strip().partition("@")[0]
            commands.succeeds(["ip", "link", "delete", device])
        commands.run(["ip", "link", "delete", twin_paths.BRIDGE])
        done += 1
    chains = sum(_remove_chains(program, table) for program, table in itertools.product(PROGRAMS, TABLES))
    return f"removed {done} namespaces and bridges, {chains} chains" if done or chains else "nothing there"


def _remove_chains(program: str, table: str) -> int:
    """Remove the chains of the twin and of its kube-proxy, and the jumps to them, in one go."""
    rules = _rules(program, table)
    chains = _chains(rules)
    if not chains:
        return 0
    jumps = [rule for rule in rules if rule.startswith("-A ") and _target(rule) in chains]
    outside = [rule for rule in jumps if rule.split()[1] not in chains]
    lines = [f"*{table}", *(f"-D {rule.removeprefix('-A ')}" for rule in outside)]
    lines += [f"-F {chain}" for chain in chains] + [f"-X {chain}" for chain in chains]
    commands.run([f"{program}-restore", "--noflush", "--wait", "5"], stdin="\n".join([*lines, "COMMIT", ""]))
    return len(chains)


def _rules(program: str, table: str) -> list[str]:
    return _output([program, "-w", "5", "-t", table, "-S"]).splitlines()


def _chains(rules: list[str]) -> list[str]:
    made = [rule.split()[1] for rule in rules if rule.startswith("-N ")]
    return [name for name in made if name.startswith(CHAINS)]


def _target(rule: str) -> str:
    words = rule.split()
    return words[words.index("-j") + 1] if "-j" in words else ""


def _leftovers(paths: Paths) -> str:
    """Run-time folders and caches that only the running twin had a use for."""
    for file in _dangling(CONTAINER_LOGS, paths.data):
        file.unlink(missing_ok=True)
    shutil.rmtree(paths.run, ignore_errors=True)
    for folder in KUBELET_FOLDERS:
        # Removed only when empty: another kubelet's files would be its own.
        with contextlib.suppress(OSError):
            folder.rmdir()
    for group in sorted(CGROUPS.glob("**/kubepods/**/"), key=lambda place: len(place.parts), reverse=True):
        # The kernel refuses to remove a group that still has a process: then it is not ours to remove.
        with contextlib.suppress(OSError):
            group.rmdir()
    return "removed"


def _dangling(folder: Path, below: Path) -> list[Path]:
    """Links in `folder` that lead below the twin's data."""
    if not folder.is_dir():
        return []
    return [file for file in folder.iterdir() if file.is_symlink() and file.readlink().is_relative_to(below)]


def _release(paths: Paths) -> str:
    left = remaining(paths)
    if left:
        raise StepError(f"not everything ended: {', '.join(left[:10])}")
    ownership.release(paths)
    return "the machine has no twin"


def _output(argv: list[str]) -> str:
    try:
        return commands.run(argv)
    except StepError:
        return ""
