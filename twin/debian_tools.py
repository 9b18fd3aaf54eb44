"""Programs out of Debian's packages, unpacked into the cache and not installed into this machine."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twin import rootfs
from twin.toolchain.build import cache_root

# Package that has it, by program.
PROGRAMS = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-blackbox-exporter": "prometheus-blackbox-exporter",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "prometheus-postgres-exporter": "prometheus-postgres-exporter",
}


def program(name: str) -> Path:
    """The program, from the cache; its package is downloaded once.

    Raises:
        StepError: apt does not find it.
    """
    folder = unpacked(PROGRAMS[name])
    return folder / "usr/bin" / name


def unpacked(package: str) -> Path:
    """The folder of an unpacked package; two callers at once do not disturb each other.

    Raises:
        StepError: apt does not find it.
    """
    kept = cache_root() / "debian" / f"{rootfs.SUITE}-{package}"
    if kept.is_dir():
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="new-", dir=kept.parent))
    try:
        found = rootfs.debian_package(work, package)
        try:
            found.rename(kept)
        except OSError:
            if not kept.is_dir():
                raise
    finally:
        shutil.rmtree(work)
    return kept
