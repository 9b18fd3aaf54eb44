"""The twin's process supervisor: what is recorded, what is found again, and what is left alone."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from twin import proc
from twin.paths import Paths
from twin.processes import Process, Supervisor, end
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(checkout=tmp_path, data=tmp_path / ".twin", state=tmp_path / "state", run=tmp_path / "run")


@pytest.fixture
def supervisor(paths: Paths) -> Iterator[Supervisor]:
    made = Supervisor(paths)
    yield made
    for record in made.records():
        made.stop(record.name)


def sleeper(name: str = "sleeper", seconds: int = 60) -> Process:
    return Process(name=name, argv=("sleep", str(seconds)), ready=lambda: True)


def test_a_second_ensure_starts_nothing(supervisor: Supervisor) -> None:
    supervisor.ensure(sleeper())
    first = supervisor.find("sleeper")
    assert supervisor.ensure(sleeper()) == "runs already"
    assert supervisor.find("sleeper") == first


def test_a_process_has_a_session_of_its_own_and_its_argv_is_the_program(supervisor: Supervisor) -> None:
    supervisor.ensure(sleeper())
    record = supervisor.find("sleeper")
    assert record is not None
    assert os.getsid(record.pid) == record.pid != os.getsid(0)
    deadline = time.monotonic() + 5
    while proc.argv(record.pid) != ["sleep", "60"]:
        assert time.monotonic() < deadline, proc.argv(record.pid)
        time.sleep(0.02)


def test_a_changed_command_or_configuration_restarts(supervisor: Supervisor, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("one")
    process = dataclasses.replace(sleeper(), files=(config,))
    supervisor.ensure(process)
    before = supervisor.find("sleeper")
    config.write_text("two")
    assert supervisor.ensure(process).startswith("restarted")
    after = supervisor.find("sleeper")
    assert before is not None
    assert after is not None
    assert before.identity != after.identity
    assert not proc.alive(before.identity)
    assert supervisor.ensure(dataclasses.replace(process, argv=("sleep", "61"))).startswith("restarted")


def test_two_names_of_one_program_in_one_folder_are_the_same_process(tmp_path: Path) -> None:
    for name in ("python", "python3"):
        (tmp_path / name).symlink_to(sys.executable)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "python").symlink_to(sys.executable)
    names = (tmp_path / "python", tmp_path / "python3", tmp_path / "other" / "python")
    marks = [Process(name="p", argv=(str(file),), ready=lambda: True).fingerprint() for file in names]
    assert marks[0] == marks[1] != marks[2]


def test_a_process_that_ends_while_starting_is_told_with_its_last_lines(supervisor: Supervisor) -> None:
    broken = Process(name="broken", argv=("sh", "-c", "echo the cause >&2; exit 3"), ready=lambda: False)
    with pytest.raises(StepError, match=r"ended while starting[\s\S]*the cause"):
        supervisor.ensure(broken)


def test_a_process_that_never_gets_ready_is_told_within_its_time(supervisor: Supervisor) -> None:
    never = Process(
        name="never",
        argv=("sh", "-c", "echo still waiting; sleep 60"),
        ready=lambda: False,
        ready_timeout_s=0.5,
    )
    with pytest.raises(StepError, match=r"not ready within[\s\S]*still waiting"):
        supervisor.ensure(never)


def test_a_pid_that_somebody_else_got_is_neither_found_nor_ended(
    supervisor: Supervisor, paths: Paths
) -> None:
    supervisor.ensure(sleeper())
    record = supervisor.find("sleeper")
    assert record is not None
    file = paths.state / "processes" / "sleeper.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "start_ticks": record.start_ticks - 1}))
    assert supervisor.find("sleeper") is None
    assert supervisor.stop("sleeper") is False
    assert proc.alive(record.identity)
    assert end(record.identity, 5)


def test_a_process_that_ignores_its_signal_is_killed_after_its_time(supervisor: Supervisor) -> None:
    stubborn = Process(
        name="stubborn",
        argv=("sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"),
        ready=lambda: "deaf" in supervisor.log_end("stubborn"),
        stop_timeout_s=0.3,
    )
    supervisor.ensure(stubborn)
    record = supervisor.find("stubborn")
    assert record is not None
    assert supervisor.stop("stubborn")
    assert not proc.alive(record.identity)


def test_a_program_never_begins_when_its_starter_dies_before_the_record(paths: Paths, tmp_path: Path) -> None:
    witness = tmp_path / "began"
    program = f"""
import os, signal
from pathlib import Path
from twin.paths import Paths
from twin.processes import Process, Supervisor
root = Path({str(tmp_path)!r})
supervisor = Supervisor(Paths(checkout=root, data=root / ".twin", state=root / "state", run=root / "run"))
supervisor._write = lambda record: (print(record.pid, flush=True), os.kill(os.getpid(), signal.SIGKILL))
supervisor.start(Process(name="orphan", argv=("touch", {str(witness)!r}), ready=lambda: True))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    deadline = time.monotonic() + 10
    while proc.identify(int(done.stdout)):
        assert time.monotonic() < deadline, "the waiting shell outlived its starter"
        time.sleep(0.02)
    assert not witness.exists()
    assert Supervisor(paths).records() == []


def test_descendants_are_found_below_a_process_and_the_process_is_not_among_them() -> None:
    child = subprocess.Popen(["sh", "-c", "sleep 60 & echo up; wait"], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        below = proc.descendants({child.pid})
        assert [proc.argv(pid) for pid in below] == [["sleep", "60"]]
        assert child.pid not in below
    finally:
        for pid in proc.descendants({child.pid}):
            os.kill(pid, signal.SIGKILL)
        child.kill()
        child.wait(timeout=10)
