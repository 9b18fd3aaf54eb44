"""The twin begins, is killed, goes on, ends and changes hands; each test leaves it up for the others."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.twin.machine import begin, kubectl, processes_of, status, twin
from twin import ownership, proc, teardown
from twin.node import dead_pods, namespaces
from twin.paths import BRIDGE, default
from twin.processes import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKED = "orka-lifecycle-test"
# The step in whose progress line the kill falls: what comes after it is at work.
KILL_POINTS = ("kube-apiserver",)
ALL_KILL_POINTS = (
    *("record", "network", "registry", "etcd", "containerd", "pause image", "kube-apiserver"),
    *("cluster mark and rights", "kube-scheduler", "kubelet", "kube-proxy", "coredns"),
)


@pytest.fixture
def up_afterwards() -> Iterator[None]:
    """Whatever a test does, the next one finds this checkout's twin running and its pods started again."""
    yield
    done = twin("up", "--replace")
    assert done.returncode == 0, done.stderr
    _pods_settled()


def _pods_settled() -> None:
    deadline = time.monotonic() + 180
    path = "jsonpath={range .items[*]}{.status.phase} {.status.containerStatuses[*].ready}{'\\n'}{end}"
    while True:
        states = kubectl("get", "pods", "-A", "-o", path).stdout.splitlines()
        waiting = [
            state for state in states if not state.startswith(("Succeeded", "Failed")) and "true" not in state
        ]
        if not waiting:
            return
        assert time.monotonic() < deadline, kubectl("get", "pods", "-A").stdout
        time.sleep(0.5)


@pytest.mark.usefixtures("up_afterwards")
def test_down_leaves_nothing_and_up_brings_the_data_back() -> None:
    where = default()
    kubectl("create", "configmap", "-n", "default", MARKED, "--from-literal=kept=yes", check=False)
    ended = twin("down")
    assert ended.returncode == 0, ended.stderr
    assert "what stays" in ended.stderr
    assert str(where.data) in ended.stderr
    assert teardown.remaining(where) == []
    assert processes_of(where) == []
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(where.data) not in mounts
    assert str(where.run) not in mounts
    links = subprocess.run(["ip", "link"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert BRIDGE not in links
    assert "veth" not in links
    for program in ("iptables-save", "ip6tables-save"):
        rules = subprocess.run([program], capture_output=True, text=True, timeout=10, check=True).stdout
        assert "KUBE-" not in rules
        assert "ORKA-" not in rules
    assert list(Path("/run/netns").glob("cni-*")) == []
    assert not where.run.exists()
    assert list(Path("/sys/fs/cgroup").glob("**/kubepods")) == []
    again = twin("down")
    assert again.returncode == 0
    assert "no twin runs" in again.stderr
    assert twin("status").returncode == 1
    assert twin("up").returncode == 0
    assert kubectl("get", "configmap", "-n", "default", MARKED, "-o", "jsonpath={.data.kept}").stdout == "yes"
    kubectl("delete", "configmap", "-n", "default", MARKED)
    _pods_settled()
    assert _restarted_by_the_node() == [], "a healthy stack would be red after `make down` and `make up`"


def _restarted_by_the_node() -> list[str]:
    """Pods that should have been made anew, and of which a container was started again after code 255."""
    pods = json.loads(kubectl("get", "pods", "-A", "-o", "json").stdout)["items"]
    return [
        pod["metadata"]["name"]
        for pod in pods
        if dead_pods.replaceable([pod])
        for container in pod["status"].get("containerStatuses", [])
        if container["lastState"].get("terminated", {}).get("exitCode") == 255
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kill_point" in metafunc.fixturenames:
        points = ALL_KILL_POINTS if metafunc.config.getoption("--soak") else KILL_POINTS
        metafunc.parametrize("kill_point", points)


@pytest.mark.usefixtures("up_afterwards")
def test_a_killed_up_goes_on_where_it_stopped(kill_point: str) -> None:
    assert twin("down").returncode == 0
    starting = begin("up")
    assert starting.stderr is not None
    seen = []
    for line in starting.stderr:
        seen.append(line)
        if f"] {kill_point}:" in line:
            break
    starting.kill()
    starting.wait(timeout=10)
    starting.stderr.close()
    assert f"] {kill_point}:" in seen[-1], "".join(seen)
    done = twin("up")
    assert done.returncode == 0, done.stderr
    assert status()["healthy"]
    lines = [proc.argv(pid) for pid in proc.pids()]
    recorded = {record.name: record.argv for record in Supervisor(default()).records()}
    for name in ("etcd", "containerd", "kube-apiserver", "kubelet", "coredns"):
        assert lines.count(recorded[name]) == 1, f"{name} runs {lines.count(recorded[name])} times"


@pytest.mark.soak("three twins")
@pytest.mark.usefixtures("up_afterwards")
def test_the_twin_of_a_deleted_checkout_is_named_and_replaced(tmp_path: Path) -> None:
    here = default()
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(here.checkout), str(clone)], check=True, timeout=60)
    (clone / ".venv").symlink_to(here.checkout / ".venv")
    refused = twin("up", checkout=clone)
    assert refused.returncode == 3
    assert str(here.checkout) in refused.stderr
    assert status()["healthy"], "the refused command touched the running twin"
    taken = twin("up", "--replace", checkout=clone)
    assert taken.returncode == 0, taken.stderr
    shutil.rmtree(clone, ignore_errors=True)
    named = twin("up")
    assert named.returncode == 3
    assert f"{clone}, which no longer exists" in named.stderr
    back = twin("up", "--replace")
    assert back.returncode == 0, back.stderr
    assert ownership.foreign(here) is None
    assert [line for line in map(proc.argv, proc.pids()) if any(str(clone) in word for word in line)] == []
    assert str(clone) not in Path("/proc/self/mountinfo").read_text()


def test_a_namespace_that_somebody_mounted_twice_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `ip netns add` does with the folder of all namespaces."""
    monkeypatch.setattr(namespaces, "FOLDER", tmp_path)
    monkeypatch.setattr(namespaces, "CNI_CACHE", tmp_path / "none")
    place = tmp_path / "cni-test"
    place.touch()
    subprocess.run(["unshare", f"--net={place}", "true"], check=True, timeout=10)
    subprocess.run(["mount", "--rbind", tmp_path, tmp_path], check=True, timeout=10)
    try:
        assert namespaces.remove([place]) == 1
        assert not place.exists()
    finally:
        subprocess.run(["umount", "--recursive", tmp_path], check=True, timeout=10)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    assert list(tmp_path.iterdir()) == []
