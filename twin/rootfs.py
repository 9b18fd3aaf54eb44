"""A Debian 12 root file system with Python and the locked wheels, packed as one tar archive.

No container registry on the internet is needed: Debian's packages come from the mirror that this
machine's own apt uses, the wheels from the index that its own pip uses, each checked by its hash.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from twin import commands
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SUITE = "bookworm"
PACKAGES = ("python3", "python3-venv", "ca-certificates")
VENV = "/opt/venv"
# Debian 12 has glibc 2.36: the wheel tags that a pip on it would accept and that the locks have.
PYTHON_TAGS = ("--python-version", "3.11", "--implementation", "cp")
PLATFORMS = ("manylinux_2_34_x86_64", "manylinux_2_28_x86_64", "manylinux2014_x86_64")
LEFT_OUT = (
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./dev/*",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
)
DEBOOTSTRAP_TIMEOUT_S = 900
STEP_TIMEOUT_S = 300


def make_archive(work: Path, requirements: Sequence[Path]) -> Path:
    """Makes the root file system below `work` and returns the tar archive of it.

    Args:
        work: a folder of the cache; what a killed run left there is removed first.
        requirements: locked requirement files with hashes whose wheels go into the image.

    Raises:
        StepError: a step failed or took too long.
    """
    clear(work)
    work.mkdir(parents=True)
    root, wheels, archive = work / "root", work / "wheels", work / "rootfs.tar"
    # setpriv: debootstrap must not go on writing after a `twin up` that was killed.
    commands.run(
        [
            *("setpriv", "--pdeathsig", "KILL", "debootstrap", "--variant=minbase"),
            *(f"--include={','.join(PACKAGES)}", SUITE, str(root), debian_mirror()),
        ],
        timeout_s=DEBOOTSTRAP_TIMEOUT_S,
    )
    _download_wheels(wheels, requirements)
    _install_wheels(root, wheels, requirements)
    commands.run(
        ["tar", "-C", str(root), *(f"--exclude={name}" for name in LEFT_OUT), "-cf", str(archive), "."],
        timeout_s=STEP_TIMEOUT_S,
    )
    return archive


def debian_package(work: Path, name: str) -> Path:
    """Unpacks a Debian package into a new folder below `work`, not into this machine; returns the folder.

    Raises:
        StepError: apt does not find it.
    """
    unpacked, saved = work / name, work / f"{name}.deb"
    try:
        _download_package(name, saved)
    except StepError:
        # Apt's index is missing, or older than the archive: root alone may fetch it.
        commands.run(["apt-get", "update", "-qq"], timeout_s=STEP_TIMEOUT_S)
        _download_package(name, saved)
    commands.run(["dpkg-deb", "-x", str(saved), str(unpacked)], timeout_s=STEP_TIMEOUT_S)
    return unpacked


def _download_package(name: str, saved: Path) -> None:
    found = commands.run(["apt-get", "download", "--print-uris", name]).split()
    if not found:
        raise StepError(f"apt names no address of {name}: run where no {name}_*.deb lies already")
    # The hash comes from Debian's signed index; apt's own helper compares it.
    address, checksum = found[0].strip("'"), found[-1]
    helper = "/usr/lib/apt/apt-helper"
    commands.run([helper, "download-file", address, str(saved), checksum], timeout_s=STEP_TIMEOUT_S)


def clear(folder: Path) -> None:
    """Removes `folder` with everything in it, after unmounting what a killed debootstrap left mounted.

    Raises:
        StepError: something below it stays mounted; nothing is removed then.
    """
    if not folder.exists():
        return
    for mount in sorted(_mounts_below(folder), reverse=True):
        commands.run(["umount", mount], timeout_s=STEP_TIMEOUT_S)
    if left := _mounts_below(folder):
        raise StepError(f"still mounted, so {folder} is not removed: {', '.join(left)}; unmount it by hand")
    shutil.rmtree(folder)


def debian_mirror() -> str:
    """The address of the Debian archive in this machine's apt configuration.

    Raises:
        StepError: apt knows no archive of this suite.
    """
    listing = commands.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)", "Created-By: Packages"],
        timeout_s=STEP_TIMEOUT_S,
    )
    for line in listing.splitlines():
        codename, _, site = line.partition(" ")
        if codename == SUITE:
            return site
    raise StepError(
        f"apt has no source for Debian {SUITE}; the twin needs Debian 12 with its archive configured"
    )


def _download_wheels(wheels: Path, requirements: Iterable[Path]) -> None:
    chosen = [f"--platform={platform}" for platform in PLATFORMS]
    files = [part for file in requirements for part in ("-r", str(file))]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    commands.run(
        [*pip, "--only-binary=:all:", *PYTHON_TAGS, *chosen, "-d", str(wheels), *files],
        timeout_s=STEP_TIMEOUT_S,
    )


def _install_wheels(root: Path, wheels: Path, requirements: Sequence[Path]) -> None:
    # The image's own pip installs, so that scripts get the image's own interpreter in their first line.
    inside = Path(tempfile.mkdtemp(prefix="wheels-", dir=root))
    files: list[str] = []
    for number, file in enumerate(requirements):
        shutil.copy(file, inside / f"{number}.txt")
        files += ["-r", f"/{inside.name}/{number}.txt"]
    for wheel in wheels.iterdir():
        shutil.copy(wheel, inside)
    _run_inside(root, ["python3", "-m", "venv", VENV])
    _run_inside(
        root,
        [
            *(f"{VENV}/bin/pip", "install", "--quiet", "--no-index", "--find-links", f"/{inside.name}"),
            *("--require-hashes", *files),
        ],
    )
    shutil.rmtree(inside)


def _run_inside(root: Path, command: Sequence[str]) -> None:
    commands.run(
        ["chroot", str(root), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin", *command],
        timeout_s=STEP_TIMEOUT_S,
    )


def _mounts_below(folder: Path) -> list[str]:
    prefix = f"{folder.resolve()}/"
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if point.startswith(prefix)]
