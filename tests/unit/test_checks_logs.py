"""The check of the logs reads the last part of each, and what a container wrote before it crashed."""

from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ops.checks import cluster
from ops.cluster import logs
from tests.checks import documents as k8s
from tests.unit.made_checks import LOGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from model.check_surroundings import LogsCheck
    from ops.checks.result import Outcome

    Judge = Callable[..., Outcome]

TRACEBACK = "Traceback (most recent call last):\n"


@pytest.fixture
def judge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Judge the logs of a healthy namespace with these changes."""
    k8s.write_kubectl(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    session: Any = SimpleNamespace(means=SimpleNamespace(kube_context=None))

    def judged(*changes: Callable[[k8s.Namespace], None], check: LogsCheck = LOGS) -> Outcome:
        k8s.publish(tmp_path, *changes)
        return asyncio.run(cluster.logs(session, check))

    return judged


def _written(**by_deployment: str) -> Callable[[k8s.Namespace], None]:
    return lambda namespace: namespace["logs"].update(by_deployment)


def _before_the_crash(text: str) -> Callable[[k8s.Namespace], None]:
    return lambda namespace: namespace["previous"].update({"backend-7d4b9c-0": text})


def test_a_fault_at_the_end_of_a_log_longer_than_what_is_read_is_found(judge: Judge) -> None:
    long = "INFO of no interest\n" * 120_000
    assert len(long) > logs.LAST_BYTES
    assert judge(_written(backend=long)).verdict == "passed"
    found = judge(_written(backend=long + TRACEBACK))
    assert found.verdict == "failed"
    assert "1 line of backend is a fault: Traceback" in str(found.reason)


def test_a_crashs_own_traceback_is_found_in_the_log_before_it(judge: Judge) -> None:
    found = judge(k8s.restarted, _before_the_crash(TRACEBACK))
    assert "1 line of backend is a fault: Traceback" in str(found.reason)


def test_a_log_that_the_node_no_longer_keeps_is_no_fault(judge: Judge) -> None:
    assert judge(k8s.restarted).verdict == "passed"


def test_while_a_container_waits_its_last_run_is_not_counted_twice(judge: Judge) -> None:
    def crashed(namespace: k8s.Namespace) -> None:
        k8s.restarted(namespace)
        k8s.crash_loop(namespace)

    found = judge(crashed, _written(backend=TRACEBACK), _before_the_crash(TRACEBACK))
    assert "1 line of backend" in str(found.reason)


def test_a_pattern_that_begins_a_line_sees_no_prefix(judge: Judge) -> None:
    assert judge(_written(backend="panic: no memory\n")).verdict == "failed"


@pytest.mark.parametrize("said", [k8s.WAITS, "pod backend-new-1 does not have a host assigned"])
def test_a_pod_that_waits_to_start_hides_no_other_pods_log_and_is_no_line_of_it(
    judge: Judge, said: str
) -> None:
    errors = LOGS.model_copy(update={"faults": ("error",)})
    assert judge(k8s.unlogged(said), check=errors).verdict == "passed"
    found = judge(k8s.unlogged(said), _written(backend=TRACEBACK))
    assert (found.verdict, found.reason) == (
        "failed", "1 line of backend is a fault: Traceback (most recent call last):",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "log"), [(k8s.WAITS, ""), ("dial tcp 10.0.0.7:10250: connect: connection refused", "INFO\n")]
)
def test_no_log_at_all_and_one_that_is_kept_back_are_no_pass(judge: Judge, said: str, log: str) -> None:
    found = judge(k8s.unlogged(said), _written(backend=log))
    assert (found.verdict, found.reason) == ("errored", f"kubectl logs failed: {said}")


def test_of_each_container_the_last_bytes_are_kept_whole_lines() -> None:
    lines = [b"[pod/a/main] one\n", b"[pod/b/main] two\n", b"[pod/a/main] three\n", b"[pod/a/main] four\n"]
    assert logs.last_parts(lines, 40) == "three\nfour\ntwo\n"
    assert logs.last_parts(lines, 1) == "four\ntwo\n"
    assert logs.last_parts([], 40) == ""
