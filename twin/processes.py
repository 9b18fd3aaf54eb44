"""Starts, finds and ends the twin's processes: detached, recorded, logged, awaited.

A record (`<state>/processes/NAME.json`) is written before the program may begin, so that being killed at
any moment leaves no process that nobody knows. It lies in the user's state folder rather than in the
checkout, so that a twin can be ended when its checkout is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from twin import proc
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twin.paths import Paths

POLL_S = 0.1
LOG_LINES = 15
LOG_LIMIT_BYTES = 20_000_000
# The shell waits for a line that is sent once the record is on disk; when the parent dies first, it ends.
GATE = 'read -r go || exit 125; exec "$@" </dev/null'


@dataclass(frozen=True, kw_only=True)
class Process:
    """A program that the twin keeps running.

    `ready` answers whether it does its work; an exception of OSError counts as "not yet".
    `environment` is added to PATH, HOME and LANG; nothing else is inherited. A change of `argv`,
    `environment` or the bytes of `files` (its configuration) restarts it.
    """

    name: str
    argv: tuple[str, ...]
    ready: Callable[[], bool]
    ready_timeout_s: float = 30.0
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    directory: Path | None = None
    stop_timeout_s: float = 10.0
    stop_signal: int = signal.SIGTERM

    def fingerprint(self) -> str:
        """Changes when the process would have to be started anew to take effect."""
        # `python` and `python3` of one folder are one program, whichever of them the caller was started by.
        program = Path(self.argv[0])
        called = (str(program.parent), str(program.resolve()), *self.argv[1:])
        digest = hashlib.sha256(json.dumps([called, sorted(self.environment.items())]).encode())
        for file in self.files:
            digest.update(file.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is remembered of a started process."""

    name: str
    pid: int
    start_ticks: int
    boot: str
    argv: list[str]
    fingerprint: str
    log: str
    stop_timeout_s: float = 10.0
    stop_signal: int = signal.SIGTERM

    @property
    def identity(self) -> proc.Identity:
        """Who it is, so that a pid that somebody else got is left alone."""
        return proc.Identity(self.pid, self.start_ticks, self.boot)

    @property
    def running(self) -> bool:
        """Whether exactly this process still runs."""
        return proc.alive(self.identity)


class Supervisor:
    """The processes of one twin; any number of these objects see the same records."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._records = paths.state / "processes"

    def ensure(self, process: Process) -> str:
        """Have it running, with this configuration, and ready.

        Returns:
            A few words for the progress line.

        Raises:
            StepError: it ended or was not ready in time; the message has its log's last lines.
        """
        record = self.find(process.name)
        if record and record.fingerprint == process.fingerprint():
            self.wait_ready(process, record)
            return "runs already"
        again = "restarted" if record else "started"
        if record:
            self.stop(process.name)
        began = time.monotonic()
        self.wait_ready(process, self.start(process))
        return f"{again}, ready after {time.monotonic() - began:.1f} s"

    def start(self, process: Process) -> Record:
        """Start it in a session of its own, record first; does not wait until it is ready."""
        log = self._paths.logs / f"{process.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with log.open("ab") as output:
            output.write(f"--- {time.strftime('%FT%T%z')} starting {process.name}\n".encode())
            output.flush()
            child = subprocess.Popen(
                ["/bin/sh", "-c", GATE, process.name, *process.argv],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**inherited, **process.environment},
                cwd=process.directory or "/",
                start_new_session=True,
            )
        identity = proc.identify(child.pid)
        if identity is None or child.stdin is None:
            raise StepError(f"{process.name} ended before it began; see {log}")
        record = Record(
            name=process.name,
            argv=list(process.argv),
            fingerprint=process.fingerprint(),
            log=str(log),
            stop_timeout_s=process.stop_timeout_s,
            stop_signal=int(process.stop_signal),
            **asdict(identity),
        )
        self._write(record)
        child.stdin.write(b"go\n")
        child.stdin.close()
        # It outlives this object on purpose: silence the warning about a child that was never waited for.
        child.returncode = 0
        return record

    def wait_ready(self, process: Process, record: Record) -> None:
        """Wait until `ready` says so.

        Raises:
            StepError: the process ended, or `ready_timeout_s` passed.
        """
        deadline = time.monotonic() + process.ready_timeout_s
        last = ""
        while True:
            try:
                # Asked in this order: what answers may be something else on the same address.
                if process.ready() and record.running:
                    return
            except OSError as error:
                last = f" ({error})"
            if not record.running:
                raise StepError(f"{process.name} ended while starting\n{self.log_end(process.name)}")
            if time.monotonic() > deadline:
                raise StepError(
                    f"{process.name} was not ready within {process.ready_timeout_s:.0f} s{last}\n"
                    f"{self.log_end(process.name)}"
                )
            time.sleep(POLL_S)

    def stop(self, name: str) -> bool:
        """End it: its stop signal, after its time SIGKILL; False when it did not run. Forgets the record."""
        record = self._read(self._records / f"{name}.json")
        if record is None:
            return False
        stopped = end(record.identity, record.stop_timeout_s, record.stop_signal)
        (self._records / f"{name}.json").unlink(missing_ok=True)
        return stopped

    def find(self, name: str) -> Record | None:
        """The record of a running process of this name."""
        record = self._read(self._records / f"{name}.json")
        return record if record and record.running else None

    def records(self) -> list[Record]:
        """All records, running or not, in the order in which the processes were started."""
        found = [self._read(file) for file in self._records.glob("*.json")]
        return sorted((record for record in found if record), key=lambda record: record.start_ticks)

    def log_end(self, name: str) -> str:
        """The last lines of a process's log, with its place."""
        log = self._paths.logs / f"{name}.log"
        text = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else ["(no log)"]
        return "\n".join([f"  last lines of {log}:", *(f"  | {line[:400]}" for line in text)])

    def _write(self, record: Record) -> None:
        self._records.mkdir(parents=True, exist_ok=True)
        target = self._records / f"{record.name}.json"
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(record), indent=1) + "\n")
        partial.replace(target)

    @staticmethod
    def _read(file: Path) -> Record | None:
        try:
            return Record(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None


def end(identity: proc.Identity, timeout_s: float, number: int = signal.SIGTERM) -> bool:
    """A signal to exactly this process, SIGKILL after `timeout_s`; False when it did not run."""
    if not proc.send(identity, number):
        return False
    if not _gone(identity, timeout_s):
        proc.send(identity, signal.SIGKILL)
        _gone(identity, timeout_s)
    return True


def _gone(identity: proc.Identity, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while proc.alive(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S / 2)
    return True
