"""The node's configuration, read back by what reads it; and what `down` takes for its own."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import tarfile
import tomllib
from pathlib import Path

import pytest

from twin import cluster, commands, teardown
from twin.node import dead_pods, dns, image, network, runtime
from twin.paths import BRIDGE_ADDRESS, Paths
from twin.steps import Step, StepError, run_all


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(checkout=tmp_path, data=tmp_path / ".twin", state=tmp_path / "state", run=tmp_path / "run")


def test_containerd_has_folders_of_its_own_and_keeps_oom_scores(paths: Paths) -> None:
    awkward = dataclasses.replace(paths, data=paths.data / 'with "quotes" and ünicode')
    read = tomllib.loads(runtime.configuration(awkward))
    assert read["root"] == str(awkward.containerd)
    assert read["state"].startswith(str(paths.run))
    assert read["grpc"]["address"] == str(paths.containerd_socket)
    cri = read["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == image.PAUSE


def test_the_registry_is_reached_by_plain_http(paths: Paths) -> None:
    runtime.process(paths)
    read = tomllib.loads((paths.config / "certs.d" / "localhost:5000" / "hosts.toml").read_text())
    assert read["host"] == {"http://localhost:5000": {"capabilities": ["pull", "resolve"]}}


def test_pods_get_no_address_of_the_bridge_itself_and_no_way_outside(paths: Paths) -> None:
    [plugin] = json.loads(network.cni_configuration(paths.run))["plugins"]
    assert plugin["ipMasq"] is False
    [[addresses]] = plugin["ipam"]["ranges"]
    assert addresses["gateway"] == BRIDGE_ADDRESS != addresses["rangeStart"]


def test_each_of_the_guides_hosts_has_the_bridges_address(tmp_path: Path) -> None:
    text = dns.corefile(tmp_path / "login")
    for host in dns.GUIDE_HOSTS:
        assert f"{BRIDGE_ADDRESS} {host}" in text
    assert "forward" not in text


def test_the_image_is_the_same_for_the_same_busybox_and_its_parts_fit() -> None:
    archive = image.docker_archive(b"program", ("a:1", "b:1"))
    assert archive == image.docker_archive(b"program", ("a:1", "b:1"))
    with tarfile.open(fileobj=io.BytesIO(archive)) as outer:
        parts = {member.name: outer.extractfile(member) for member in outer}
        contents = {name: part.read() for name, part in parts.items() if part}
    [manifest] = json.loads(contents["manifest.json"])
    assert manifest["RepoTags"] == ["a:1", "b:1"]
    config = json.loads(contents[manifest["Config"]])
    layer = contents[manifest["Layers"][0]]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as inner:
        assert inner.getmember("bin/sleep").linkname == "busybox"
        assert inner.getmember("bin/busybox").mode == 0o755


@pytest.mark.parametrize(
    ("status", "reported", "expected"),
    [
        ("True", "2026-01-01T00:00:10Z", True),
        ("True", "2026-01-01T00:00:09Z", False),
        ("False", "2026-01-01T00:00:11Z", False),
    ],
)
def test_only_a_report_since_the_kubelets_start_makes_the_node_ready(
    status: str, reported: str, expected: bool
) -> None:
    condition = {"type": "Ready", "status": status, "lastHeartbeatTime": reported}
    moment = 1767225610.7  # 2026-01-01T00:00:10.7Z
    assert cluster.ready_since({"status": {"conditions": [condition]}}, moment) is expected


@pytest.mark.parametrize(
    ("program", "flag", "socket", "ours"),
    [
        ("/usr/bin/containerd-shim-runc-v2", "-address", "/run/orka-twin/containerd.sock", True),
        ("/usr/bin/containerd-shim-runc-v2", "-address", "/run/orka-twin/docker-containerd.sock", True),
        ("/usr/bin/containerd-shim-runc-v2", "-address", "/run/containerd/containerd.sock", False),
        ("/usr/bin/containerd-shim-runc-v2", "-id", "/run/orka-twin/containerd.sock", False),
        ("/bin/cat", "-address", "/run/orka-twin/containerd.sock", False),
    ],
)
def test_only_shims_of_the_twins_own_sockets_are_its_shims(
    program: str, flag: str, socket: str, ours: bool
) -> None:
    assert teardown._is_shim([program, "-namespace", "k8s.io", flag, socket], Path("/run/orka-twin")) is ours


def test_mounts_below_the_twins_folders_are_found_deepest_first_and_others_not(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    spaced = dataclasses.replace(paths, data=tmp_path / "a b" / ".twin")
    lines = [
        f"30 1 0:1 / {tmp_path}/a\\040b/.twin/kubelet rw - tmpfs tmpfs rw",
        f"31 1 0:1 / {tmp_path}/a\\040b/.twin/kubelet/pods/x//deleted rw - tmpfs tmpfs rw",
        f"32 1 0:1 / {tmp_path}/a\\040b/.twin-of-somebody-else rw - tmpfs tmpfs rw",
        f"33 1 0:1 / {tmp_path}/run/containerd/x rw - overlay overlay rw",
        "34 1 0:1 / / rw - ext4 /dev/vda rw",
    ]
    table = tmp_path / "mountinfo"
    table.write_text("\n".join(lines))
    monkeypatch.setattr(teardown, "MOUNTS", table)
    found = teardown._mounts(spaced)
    assert set(found) == {spaced.kubelet, spaced.kubelet / "pods/x", paths.run / "containerd/x"}
    assert found.index(spaced.kubelet / "pods/x") < found.index(spaced.kubelet)


def test_only_own_chains_and_the_jumps_to_them_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [
        "-P FORWARD ACCEPT",
        "-N DOCKER",
        "-N KUBE-FORWARD",
        "-N ORKA-TWIN-FORWARD",
        "-A FORWARD -j ORKA-TWIN-FORWARD",
        '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
        "-A FORWARD -j DOCKER",
        "-A KUBE-FORWARD -j ORKA-TWIN-FORWARD",
    ]
    sent: list[str] = []

    def run(argv: list[str], *, stdin: str | None = None, timeout_s: float = 0) -> str:
        del timeout_s
        if stdin is None:
            return "\n".join(rules)
        sent.append(f"{argv[0]}\n{stdin}")
        return ""

    monkeypatch.setattr(commands, "run", run)
    assert teardown._remove_chains("iptables", "filter") == 2
    assert sent == [
        (
            "iptables-restore\n*filter\n"
            "-D FORWARD -j ORKA-TWIN-FORWARD\n"
            '-D FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD\n'
            "-F KUBE-FORWARD\n-F ORKA-TWIN-FORWARD\n-X KUBE-FORWARD\n-X ORKA-TWIN-FORWARD\nCOMMIT\n"
        )
    ]


def test_a_failed_step_stops_the_rest_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> str:
        raise StepError("the cause")

    later = Step("later", lambda: pytest.fail("ran although an earlier step failed"))
    with pytest.raises(StepError, match=r"^\[2/3\] breaks: the cause$"):
        run_all([Step("works", lambda: "done"), Step("breaks", fail), later])
    assert "[1/3] works: done" in capsys.readouterr().err


def test_an_unforeseen_error_of_a_step_is_named_by_its_kind() -> None:
    with pytest.raises(StepError, match=r"^\[1/1\] breaks: ZeroDivisionError: "):
        run_all([Step("breaks", lambda: str(1 // 0))])


def test_a_command_that_hangs_or_is_missing_is_an_error_that_names_it() -> None:
    with pytest.raises(StepError, match="`sleep 60` took longer"):
        commands.run(["sleep", "60"], timeout_s=0.2)
    with pytest.raises(StepError, match="`no-such-program` is not installed"):
        commands.run(["no-such-program"])


@pytest.mark.parametrize(
    ("owner", "status", "replaced"),
    [
        ("ReplicaSet", {"startTime": "2026-01-01T00:00:00Z"}, True),
        ("StatefulSet", {"startTime": "2026-01-01T00:00:00Z"}, True),
        ("DaemonSet", {"startTime": "2026-01-01T00:00:00Z"}, True),
        ("Job", {"startTime": "2026-01-01T00:00:00Z"}, False),
        (None, {"startTime": "2026-01-01T00:00:00Z"}, False),
        ("ReplicaSet", {}, False),
    ],
)
def test_only_pods_that_ran_and_that_a_controller_makes_anew_are_removed(
    owner: str | None, status: dict[str, str], replaced: bool
) -> None:
    owners = {"ownerReferences": [{"kind": owner, "controller": True}]} if owner else {}
    pod = {"metadata": {"namespace": "staging", "name": "a", **owners}, "status": status}
    assert dead_pods.replaceable([pod]) == (["namespaces/staging/pods/a"] if replaced else [])
