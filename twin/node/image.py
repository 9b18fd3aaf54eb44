"""The one image that the node makes itself: Debian's static busybox, as pause image and for small tests."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin import commands
from twin.steps import StepError

if TYPE_CHECKING:
    from twin.paths import Paths

PAUSE = "orka.twin/pause:1"
BUSYBOX = "orka.twin/busybox:1"
APPLETS = [
    "sh",
    "cat",
    "echo",
    "env",
    "false",
    "head",
    "hostname",
    "id",
    "ip",
    "kill",
    "ls",
    "mkdir",
    "nc",
    "nslookup",
    "ping",
    "printf",
    "ps",
    "rm",
    "sleep",
    "stat",
    "tail",
    "test",
    "touch",
    "true",
    "tr",
    "uname",
    "wc",
    "wget",
    "whoami",
    "yes",
]
FOLDERS = (Path("/bin"), Path("/usr/bin"))


def load(paths: Paths) -> str:
    """Have both names in the node's image store.

    Raises:
        StepError: there is no busybox, or containerd refused the image.
    """
    listed = commands.run([*ctr(paths), "images", "ls", "-q"]).split()
    if {PAUSE, BUSYBOX} <= set(listed):
        return "there already"
    archive = paths.config / "busybox.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(docker_archive(busybox(), (PAUSE, BUSYBOX)))
    commands.run([*ctr(paths), "images", "import", str(archive)])
    return f"imported, {archive.stat().st_size // 1024} KiB"


def ctr(paths: Paths) -> tuple[str, ...]:
    """How `ctr` is called for the node's containerd."""
    return ("ctr", "--address", str(paths.containerd_socket), "--namespace", "k8s.io")


def docker_archive(program: bytes, names: tuple[str, ...]) -> bytes:
    """An archive as `docker save` makes them; the same bytes for the same busybox."""
    only = layer(program)
    manifest = [{"Config": "config.json", "RepoTags": list(names), "Layers": ["layer.tar"]}]
    return _tar(
        [
            ("config.json", json.dumps(configuration(only)).encode(), 0o644),
            ("layer.tar", only, 0o644),
            ("manifest.json", json.dumps(manifest).encode(), 0o644),
        ]
    )


def layer(program: bytes) -> bytes:
    """The one layer: busybox, a link for each of its commands, a user, a place for temporary files."""
    return _tar(
        [
            ("bin", None, 0o755),
            ("bin/busybox", program, 0o755),
            ("etc", None, 0o755),
            ("etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644),
            ("tmp", None, 0o1777),
            *((f"bin/{applet}", "busybox", 0o777) for applet in APPLETS),
        ]
    )


def configuration(only: bytes) -> dict[str, Any]:
    """The image's configuration for its one layer."""
    return {
        "architecture": "amd64",
        "os": "linux",
        # Pod sandboxes run it as it is. The longest time that busybox takes is 68 years.
        "config": {"Cmd": ["/bin/sleep", "2147483647"], "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(only).hexdigest()}"]},
        "history": [{"created_by": "orka-twin"}],
    }


def _tar(entries: list[tuple[str, bytes | str | None, int]]) -> bytes:
    """A tar of files (bytes), symbolic links (str) and folders (None), all of root and of 1970."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content, mode in entries:
            member = tarfile.TarInfo(name)
            member.mode = mode
            if isinstance(content, bytes):
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            elif isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.type = tarfile.DIRTYPE
                archive.addfile(member)
    return buffer.getvalue()


def busybox() -> bytes:
    """Debian's static busybox.

    Raises:
        StepError: it is not installed.
    """
    for folder in FOLDERS:
        if (folder / "busybox").exists():
            return (folder / "busybox").read_bytes()
    raise StepError("no busybox: `apt-get install busybox-static`")
