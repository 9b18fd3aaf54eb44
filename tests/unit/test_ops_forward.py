"""A forwarded port: there soon or not at all, through a Ctrl-C, and gone in every case."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ops import cli
from ops.cluster import forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LISTENS = 'echo "Forwarding from 127.0.0.1:1 -> 9093"'
CTRL_C = """
import os, signal
from ops.cluster import forward
signal.signal(signal.SIGINT, lambda *_: None)
started, popen = [], forward.subprocess.Popen
forward.subprocess.Popen = lambda *a, **k: started.append(popen(*a, **k)) or started[-1]
with forward.service("alertmanager", "staging", port="http", context=None):
    os.killpg(0, signal.SIGINT)
    try:
        print("ended", started[0].wait(timeout=1))
    except forward.subprocess.TimeoutExpired:
        print("lives")
print("afterwards", started[0].poll())
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a kubectl that does this."""

    def make(script: str) -> None:
        program = tmp_path / "kubectl"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return make


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that were started."""
    found: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def popen(command: list[str], **options: object) -> subprocess.Popen[bytes]:
        found.append(start(command, **options))
        return found[-1]

    monkeypatch.setattr(forward.subprocess, "Popen", popen)
    yield found
    for one in found:
        one.kill()


def _reach() -> str:
    with forward.service("alertmanager", "staging", port="http", context=None) as client:
        return str(client.base_url)


def test_a_way_that_is_there_is_used_and_closed(
    kubectl: Callable[[str], None], started: list[subprocess.Popen[bytes]]
) -> None:
    kubectl(f"{LISTENS}\nexec sleep 60")
    assert _reach() == "http://127.0.0.1:1"
    assert [one.returncode for one in started] == [-signal.SIGTERM]


def test_one_that_does_not_want_to_end_is_ended(
    kubectl: Callable[[str], None],
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forward, "ENDS_WITHIN_S", 0.2)
    kubectl(f"trap '' TERM\n{LISTENS}\nwhile true; do sleep 0.1; done")
    _reach()
    assert [one.returncode for one in started] == [-signal.SIGKILL]


def test_a_pod_that_is_not_there_is_not_waited_for(
    kubectl: Callable[[str], None],
    started: list[subprocess.Popen[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forward, "STARTS_WITHIN_S", 0.3)
    kubectl("exec sleep 60")
    with pytest.raises(forward.KubectlError, match="kubectl port-forward found no way within"):
        _reach()
    assert [one.returncode for one in started] == [-signal.SIGTERM]


def test_what_kubectl_says_is_handed_on(
    kubectl: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl('echo first >&2; echo "Error from server (Forbidden): pods" >&2; exit 1')
    assert cli.main(["alerts", "test"]) == 3
    said = capsys.readouterr().err
    assert said == "ops alerts test: kubectl port-forward failed: Error from server (Forbidden): pods\n"


def test_nobody_at_its_end_is_an_answer_too(
    kubectl: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl(f"{LISTENS}\nexec sleep 60")
    assert cli.main(["alerts", "test"]) == 3
    assert "Alertmanager gives no answer: " in capsys.readouterr().err


def test_it_outlives_the_ctrl_c_that_ends_a_test(kubectl: Callable[[str], None]) -> None:
    """A terminal interrupts the whole group of processes; the alert's end still has to go through kubectl."""
    kubectl(f"{LISTENS}\nexec sleep 60")
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C], capture_output=True, text=True, check=True, timeout=60,
        start_new_session=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["lives", f"afterwards {-signal.SIGTERM}"]
