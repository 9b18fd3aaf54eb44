"""One twin a machine: whose it is, and what is needed to end it, in the user's state folder.

The record outlives the checkout, so a twin can be named and ended when its checkout is gone.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from twin import files, proc
from twin.processes import Supervisor
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twin.paths import Paths

LOCK_TIMEOUT_S = 5.0
POLL_S = 0.1
# What the Kubernetes programs change in the kernel; remembered at the first `up`, put back by `down`.
SETTINGS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/route_localnet",
    "net/bridge/bridge-nf-call-iptables",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
SYSCTL = Path("/proc/sys")
TAKE_OVER = "`twin up --replace` ends it and starts this checkout's"
END = "`twin down --replace` ends it"
"""What helps against another checkout's twin."""


class AnotherTwinError(Exception):
    """Another checkout's twin runs on this machine."""


@dataclass(frozen=True)
class Owner:
    """Whose twin it is. `settings` holds the kernel's values from before; `boot` the boot they belong to."""

    id: str
    checkout: str
    data: str
    run: str
    boot: str
    since: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        """Whether its checkout was deleted; mounts of a running twin may keep some of its folders."""
        return not (Path(self.checkout) / "pyproject.toml").exists()


def read(paths: Paths) -> Owner | None:
    """The record; None when no twin was started, or the last one was ended by `twin down`."""
    try:
        return Owner(**json.loads(_file(paths).read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise StepError(f"{_file(paths)} is damaged ({error}); delete it if no twin runs") from error


def paths_of(owner: Owner, paths: Paths) -> Paths:
    """The folders of the recorded twin; records and lock are the user's, so `state` is the same."""
    return dataclasses.replace(
        paths, checkout=Path(owner.checkout), data=Path(owner.data), run=Path(owner.run)
    )


def running(paths: Paths) -> bool:
    """Whether any recorded process of this machine's twin runs."""
    return any(record.running for record in Supervisor(paths).records())


def foreign(paths: Paths) -> Owner | None:
    """The owner when it is another checkout than this one."""
    owner = read(paths)
    return owner if owner and owner.checkout != str(paths.checkout) else None


def describe(owner: Owner) -> str:
    """Says whose twin runs, and since when."""
    state = ", which no longer exists," if owner.gone else ""
    return f"the twin of {owner.checkout}{state} runs on this machine since {owner.since}"


def claim(paths: Paths) -> Owner:
    """Write down that the twin is this checkout's, before anything of it is started."""
    owner = read(paths)
    boot = proc.boot_id()
    if owner and owner.boot == boot and owner.checkout == str(paths.checkout):
        return owner
    owner = Owner(
        id=_identifier(paths),
        checkout=str(paths.checkout),
        data=str(paths.data),
        run=str(paths.run),
        boot=boot,
        since=time.strftime("%F %T"),
        settings={name: value for name in SETTINGS if (value := _setting(name)) is not None},
    )
    files.write(_file(paths), json.dumps(asdict(owner), indent=1) + "\n")
    return owner


def release(paths: Paths) -> None:
    """Forget the twin, after everything of it has ended; puts the kernel's settings back."""
    owner = read(paths)
    if owner is None:
        return
    if owner.boot == proc.boot_id():
        for name, value in owner.settings.items():
            if _setting(name) not in (None, value):
                (SYSCTL / name).write_text(value)
    _file(paths).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(paths: Paths) -> Iterator[None]:
    """Only one `up`, `down` or `reset` at a time; the kernel lets go of the lock when the holder dies.

    Raises:
        StepError: another one holds it.
    """
    paths.state.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(paths.state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise StepError("another `twin` command is at work; wait until it has ended") from error
                time.sleep(POLL_S)
        yield
    finally:
        os.close(descriptor)


def _identifier(paths: Paths) -> str:
    file = paths.data / "id"
    if not file.exists():
        files.write(file, f"{uuid.uuid4()}\n", 0o644)
    return file.read_text().strip()


def _file(paths: Paths) -> Path:
    return paths.state / "owner.json"


def _setting(name: str) -> str | None:
    try:
        return (SYSCTL / name).read_text().strip()
    except OSError:
        return None
