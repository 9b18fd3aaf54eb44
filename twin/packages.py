"""The Debian packages that the twin runs on: installed by name when missing, none of their services started.

Python parts (kubectl, PostgreSQL, Caddy) come with `.venv` instead.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from twin import commands
from twin.steps import StepError, say

if TYPE_CHECKING:
    from collections.abc import Iterator

# What each is for: program that must be there, package that has it.
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "etcd": "etcd-server",
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "redis-server": "redis-server",
    "stunnel": "stunnel4",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "busybox": "busybox-static",
    "debootstrap": "debootstrap",
    "mount": "mount",
    # The browser of `ops checks`.
    "chromium": "chromium",
}
CNI_PLUGINS = Path("/usr/lib/cni")
CNI_PACKAGE = "containernetworking-plugins"
# The units that these packages bring.
SERVICES = ("containerd", "docker", "etcd", "docker-registry", "redis-server", "stunnel4")
FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Asked by Debian's packages before they start a service; 101 means "not allowed".
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# orka-twin: installing its packages starts no service\nexit 101\n"
INSTALL_TIMEOUT_S = 600
LOCK_TIMEOUT_S = 300


def missing() -> list[str]:
    """The packages whose program is not there, in a fixed order."""
    packages = {package for program, package in PROGRAMS.items() if not _found(program)}
    if not (CNI_PLUGINS / "bridge").exists():
        packages.add(CNI_PACKAGE)
    return sorted(packages)


def install() -> str:
    """Install what is missing; answers for the progress line.

    Raises:
        StepError: not root, or apt failed.
    """
    if os.geteuid() != 0:
        raise StepError("the twin needs root: it makes a bridge, mounts and namespaces")
    wanted = missing()
    if not wanted:
        return "all there"
    say(f"installing from Debian: {' '.join(wanted)}")
    with _nothing_started():
        # An `up` that was killed may have left dpkg at work, or half done: wait for it, then go on.
        _apt("update", "-qq")
        commands.run(["dpkg", "--configure", "-a"], timeout_s=INSTALL_TIMEOUT_S, environment=_environment())
        _apt("install", "-y", "-qq", "--no-install-recommends", *wanted)
    left = missing()
    if left:
        raise StepError(f"apt reported success, yet these are missing: {' '.join(left)}")
    return f"installed {len(wanted)}"


def _apt(*words: str) -> None:
    wait = ("-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_S}")
    commands.run(["apt-get", *wait, *words], timeout_s=INSTALL_TIMEOUT_S, environment=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


def _found(program: str) -> bool:
    # Not by PATH: an ordinary user's PATH lacks the sbin folders, and a tool of another origin may hide ours.
    return any(os.access(Path(folder) / program, os.X_OK) for folder in FOLDERS)


@contextlib.contextmanager
def _nothing_started() -> Iterator[None]:
    """Debian's packages may start nothing meanwhile; a policy that the machine has already is kept."""
    ours = not POLICY.exists() or POLICY.read_text() == POLICY_TEXT
    if ours:
        POLICY.write_text(POLICY_TEXT)
        POLICY.chmod(0o755)
        try:
            yield
        finally:
            POLICY.unlink(missing_ok=True)
        return
    # Somebody else's policy may allow starting: end afterwards what was not running before.
    before = {unit for unit in SERVICES if _active(unit)}
    yield
    for unit in SERVICES:
        if unit not in before and _active(unit):
            commands.run(["systemctl", "stop", unit])


def _active(unit: str) -> bool:
    return commands.succeeds(["systemctl", "is-active", "--quiet", unit])
