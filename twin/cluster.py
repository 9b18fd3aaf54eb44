"""The Kubernetes cluster of the twin: one node, each part a process of the host."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING, Any

import httpx

from twin import ownership, proc, teardown
from twin.node import access, control_plane, dead_pods, dns, image, runtime, worker
from twin.node.access import NODE
from twin.paths import API_SERVER
from twin.processes import Supervisor
from twin.steps import Step, StepError
from twin.toolchain import build

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.paths import Paths
    from twin.processes import Process

RBAC = "rbac.authorization.k8s.io"
MARK = "orka-twin"
NODE_READY_TIMEOUT_S = 60.0
POLL_S = 0.2
FIELD_MANAGER = "orka-twin"
APPLY_TYPE = "application/apply-patch+yaml"


def processes(paths: Paths) -> dict[str, Callable[[], Process]]:
    """Every process of the cluster by name, in starting order; making one writes its configuration."""

    def kubernetes(make: Callable[..., Process]) -> Callable[[], Process]:
        return lambda: make(paths, build.ensure(build.KUBERNETES))

    return {
        "etcd": lambda: control_plane.etcd(paths),
        "containerd": lambda: runtime.process(paths),
        "kube-apiserver": kubernetes(control_plane.api_server),
        "kube-controller-manager": kubernetes(control_plane.controller_manager),
        "kube-scheduler": kubernetes(control_plane.scheduler),
        "kubelet": kubernetes(worker.kubelet),
        "kube-proxy": kubernetes(worker.proxy),
        "coredns": lambda: dns.process(paths, build.ensure(build.COREDNS)),
    }


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """The cluster's steps: each process, the pause image, the mark, dead pods, the node's readiness."""
    made = processes(paths)

    def running(name: str) -> Step:
        return Step(name, lambda: supervisor.ensure(made[name]()))

    return [
        running("etcd"),
        running("containerd"),
        Step("pause image", lambda: image.load(paths)),
        running("kube-apiserver"),
        Step("cluster mark and rights", lambda: _objects(paths)),
        Step("pods of the last run", lambda: _dead_pods(paths, supervisor)),
        running("kube-controller-manager"),
        running("kube-scheduler"),
        running("kubelet"),
        running("kube-proxy"),
        running("coredns"),
        Step("node", lambda: _await_node(paths)),
    ]


def node_ready(paths: Paths) -> bool:
    """Whether the node reports Ready; False also when the API server cannot be reached.

    A report from before the kubelet was started does not count: it would be that of the last run.
    """
    kubelet = Supervisor(paths).find("kubelet")
    if kubelet is None:
        return False
    try:
        with access.client(paths) as asked:
            answer = asked.get(f"{API_SERVER}/api/v1/nodes/{NODE}")
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK and ready_since(answer.json(), proc.started(kubelet.identity))


def _dead_pods(paths: Paths, supervisor: Supervisor) -> str:
    if supervisor.find("kubelet") or teardown.shims(paths):
        return "theirs run"
    return dead_pods.replace(paths)


def _objects(paths: Paths) -> str:
    """The twin's mark, by which the stand-in plugins know it, and what CoreDNS may read."""
    owner = ownership.read(paths)
    access.kubeconfig(paths, "admin", paths.kubeconfig)
    mark = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MARK, "namespace": "kube-system"},
        "data": {"id": owner.id if owner else ""},
    }
    readable = [
        {"apiGroups": [""], "resources": ["endpoints", "services", "pods", "namespaces"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]},
    ]
    role = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "orka-twin:coredns"},
        "rules": [{**rule, "verbs": ["list", "watch"]} for rule in readable],
    }
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "orka-twin:coredns"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "orka-twin:coredns",
        },
        "subjects": [{"kind": "User", "name": "orka-twin:coredns", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    roles = f"apis/{RBAC}/v1"
    with access.client(paths) as asked:
        _await_namespace(asked)
        _apply(asked, "api/v1/namespaces/kube-system/configmaps/orka-twin", mark)
        _apply(asked, f"{roles}/clusterroles/orka-twin:coredns", role)
        _apply(asked, f"{roles}/clusterrolebindings/orka-twin:coredns", binding)
    return f"mark {mark['data']['id'][:8]}"  # type: ignore[index]


def _await_namespace(asked: httpx.Client) -> None:
    """`/readyz` may come before the API server has made its own namespaces."""
    deadline = time.monotonic() + NODE_READY_TIMEOUT_S
    while asked.get(f"{API_SERVER}/api/v1/namespaces/kube-system").status_code != httpx.codes.OK:
        if time.monotonic() > deadline:
            raise StepError("the API server did not make the namespace kube-system")
        time.sleep(POLL_S)


def _apply(asked: httpx.Client, path: str, manifest: dict[str, Any]) -> None:
    answer = asked.patch(
        f"{API_SERVER}/{path}",
        params={"fieldManager": FIELD_MANAGER, "force": "true"},
        headers={"Content-Type": APPLY_TYPE},
        json=manifest,
    )
    if answer.is_error:
        raise StepError(f"{path} could not be applied: {answer.status_code} {answer.text[:500]}")


def _await_node(paths: Paths) -> str:
    deadline = time.monotonic() + NODE_READY_TIMEOUT_S
    while not node_ready(paths):
        if time.monotonic() > deadline:
            raise StepError(f"node not Ready in {NODE_READY_TIMEOUT_S:.0f} s: see `twin logs kubelet`")
        time.sleep(POLL_S)
    return "Ready"


def ready_since(node: dict[str, Any], moment: float) -> bool:
    """Whether a Node object says Ready in a report of `moment` (seconds since 1970) or later."""
    for condition in node.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            # Kubernetes writes whole seconds.
            return dt.datetime.fromisoformat(condition["lastHeartbeatTime"]).timestamp() >= int(moment)
    return False
