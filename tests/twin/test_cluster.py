"""The twin's cluster does what a staging cluster does; at most one process is restarted here."""

from __future__ import annotations

import hashlib
import json
import os
import secrets as random_values
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.twin.machine import apply, kubectl, pod, status, twin
from twin import proc, registry, secrets
from twin.node import image
from twin.node.dns import GUIDE_HOSTS
from twin.paths import BRIDGE_ADDRESS, default
from twin.processes import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING_TO_DO_S = 60
TIMED_OUT = 124  # the code of `timeout`
WAIT = "--timeout=60s"
SERVE = "echo begun; exec nc -ll -p 8080 -e echo answered"


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace of its own with a pod `server`, its Service, and a pod `client`."""
    name = f"twin-test-{random_values.token_hex(4)}"
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server", "namespace": name},
        "spec": {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    kubectl("create", "namespace", name)
    try:
        apply(
            pod("server", name, SERVE, image.BUSYBOX),
            pod("client", name, "sleep 3600", image.BUSYBOX),
            service,
        )
        kubectl("wait", "-n", name, "--for=condition=Ready", "pod/server", "pod/client", WAIT)
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def inside(namespace: str, script: str) -> subprocess.CompletedProcess[str]:
    return kubectl("exec", "-n", namespace, "client", "--", "sh", "-c", script, check=False)


def identities(supervisor: Supervisor) -> dict[str, proc.Identity]:
    return {record.name: record.identity for record in supervisor.records()}


def test_status_says_that_everything_is_ready() -> None:
    found = status()
    assert found["healthy"], found
    assert found["node_ready"]
    assert {"etcd", "kube-apiserver", "kubelet", "containerd", "coredns"} <= {
        entry["name"] for entry in found["processes"] if entry["ready"]
    }


def test_a_second_up_starts_and_changes_nothing(namespace: str) -> None:
    pods = (
        "get",
        "pods",
        "-n",
        namespace,
        "-o",
        "jsonpath={.items[*].status.containerStatuses[*].containerID}",
    )
    supervisor = Supervisor(default())
    before, containers = identities(supervisor), kubectl(*pods).stdout
    began = time.monotonic()
    again = twin("up")
    assert again.returncode == 0, again.stderr
    assert time.monotonic() - began < NOTHING_TO_DO_S
    assert identities(supervisor) == before
    assert kubectl(*pods).stdout == containers
    assert "started, ready" not in again.stderr


def test_logs_and_exec_work(namespace: str) -> None:
    assert kubectl("logs", "-n", namespace, "server").stdout == "begun\n"
    assert inside(namespace, "hostname").stdout == "client\n"


def test_a_service_answers_pods_and_the_host(namespace: str) -> None:
    asked = inside(namespace, "nc -w 5 server 80 </dev/null")
    assert asked.stdout == "answered\n", asked.stderr
    address = kubectl("get", "service", "-n", namespace, "server", "-o", "jsonpath={.spec.clusterIP}").stdout
    script = f"exec 3<>/dev/tcp/{address}/80; cat <&3"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "answered\n", done.stderr


@pytest.mark.parametrize("host", GUIDE_HOSTS)
def test_the_guides_hosts_lead_to_the_twin(namespace: str, host: str) -> None:
    assert f"Address: {BRIDGE_ADDRESS}\n" in inside(namespace, f"nslookup {host}").stdout


def test_an_unknown_name_does_not_exist_and_says_so_at_once(namespace: str) -> None:
    began = time.monotonic()
    asked = inside(namespace, "nslookup nobody.example.org")
    assert "NXDOMAIN" in asked.stdout + asked.stderr
    assert time.monotonic() - began < 5


def test_the_cluster_bears_the_twins_mark() -> None:
    mark = kubectl("get", "configmap", "-n", "kube-system", "orka-twin", "-o", "jsonpath={.data.id}").stdout
    assert mark == (default().data / "id").read_text().strip() != ""


def test_pod_security_refuses_what_a_namespace_forbids(namespace: str) -> None:
    strict = f"{namespace}-strict"
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": strict, "labels": label}})
    try:
        forbidden = json.dumps(pod("p", strict, "true", image.BUSYBOX))
        done = kubectl("apply", "-f", "-", stdin=forbidden, check=False)
        assert done.returncode != 0
        assert "violates PodSecurity" in done.stderr
    finally:
        kubectl("delete", "namespace", strict, "--wait=false")


def test_nobody_without_a_certificate_is_answered() -> None:
    answer = httpx.get("https://127.0.0.1:6443/api/v1/namespaces", verify=False, timeout=10)  # noqa: S501
    assert answer.status_code == 401


def test_the_api_server_is_closed_to_other_machines() -> None:
    """A network namespace with a link of its own stands for a machine in the neighbourhood."""
    # Not `ip netns`: it mounts over the folder in which containerd keeps the pods' namespaces.
    neighbour = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo ready; sleep 60"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert neighbour.stdout is not None
        neighbour.stdout.readline()
        pid = str(neighbour.pid)
        outside = ("nsenter", "--target", pid, "--net")
        link = ("link", "add", "orka-t-host", "type", "veth", "peer", "name", "orka-t-peer", "netns", pid)
        for words in (
            ("ip", *link),
            ("ip", "addr", "add", "198.51.100.1/30", "dev", "orka-t-host"),
            ("ip", "link", "set", "orka-t-host", "up"),
            (*outside, "ip", "addr", "add", "198.51.100.2/30", "dev", "orka-t-peer"),
            (*outside, "ip", "link", "set", "orka-t-peer", "up"),
        ):
            subprocess.run(words, check=True, timeout=10)
        # A port that refuses shows that the way is open; nothing comes back from the other.
        assert b"refused" in _connect(outside, 9).stderr
        assert _connect(outside, 6443).returncode == TIMED_OUT
    finally:
        for child in (*proc.descendants({neighbour.pid}), neighbour.pid):
            os.kill(child, signal.SIGKILL)
        neighbour.communicate(timeout=10)
        subprocess.run(["ip", "link", "delete", "orka-t-host"], check=False, timeout=10, capture_output=True)


def _connect(outside: tuple[str, ...], port: int) -> subprocess.CompletedProcess[bytes]:
    attempt = ("timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/198.51.100.1/{port}")
    return subprocess.run([*outside, *attempt], check=False, timeout=10, capture_output=True)


def test_a_process_that_died_is_reported_and_the_next_up_starts_it_alone() -> None:
    supervisor = Supervisor(default())
    before = identities(supervisor)
    os.kill(before["coredns"].pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while supervisor.find("coredns"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    shown = twin("status")
    assert shown.returncode == 1
    assert "not ready: coredns" in shown.stdout
    again = twin("up")
    assert again.returncode == 0, again.stderr
    after = identities(supervisor)
    assert {name for name, identity in after.items() if before[name] != identity} == {"coredns"}
    assert status()["healthy"]


def test_an_image_is_pulled_with_the_registrys_password_and_not_without(namespace: str) -> None:
    known = secrets.of(default())
    name = f"{registry.HOST}/{_push(known)}"
    login = {"username": known.registry_user, "password": known.registry_password}
    docker_config = json.dumps({"auths": {registry.HOST: login}})
    apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "pull", "namespace": namespace},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": docker_config},
        },
        pod("without", namespace, "sleep 3600", name),
    )
    reason = "jsonpath={.status.containerStatuses[0].state.waiting.reason}"
    kubectl("wait", "-n", namespace, f"--for={reason}=ErrImagePull", "pod/without", WAIT)
    apply(pod("with", namespace, "sleep 3600", name, imagePullSecrets=[{"name": "pull"}]))
    kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod/with", WAIT)


def _push(known: secrets.Secrets) -> str:
    """Busybox with a layer that no other test has, pushed by the registry's own protocol; its reference."""
    repository = f"twin-test/{random_values.token_hex(4)}"
    layer = image.layer(image.busybox())
    config = image.configuration(layer) | {"author": repository}
    blobs = {"config": json.dumps(config).encode(), "layer": layer}
    kind = "application/vnd.docker"
    with httpx.Client(auth=(known.registry_user, known.registry_password), timeout=20) as asked:
        for blob in blobs.values():
            started = asked.post(f"http://{registry.HOST}/v2/{repository}/blobs/uploads/")
            assert started.status_code == 202, started.text
            digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
            place = httpx.URL(started.headers["Location"]).copy_merge_params({"digest": digest})
            assert asked.put(place, content=blob).status_code == 201
        parts = {
            name: {
                "mediaType": media,
                "size": len(blobs[name]),
                "digest": f"sha256:{hashlib.sha256(blobs[name]).hexdigest()}",
            }
            for name, media in (
                ("config", f"{kind}.container.image.v1+json"),
                ("layer", f"{kind}.image.rootfs.diff.tar"),
            )
        }
        manifest_type = f"{kind}.distribution.manifest.v2+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": parts["config"],
            "layers": [parts["layer"]],
        }
        done = asked.put(
            f"http://{registry.HOST}/v2/{repository}/manifests/1",
            content=json.dumps(manifest),
            headers={"Content-Type": manifest_type},
        )
        assert done.status_code == 201, done.text
    return f"{repository}:1"
