"""etcd, API server, controller manager and scheduler, as plain processes of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin import certificates
from twin.node import access
from twin.paths import API_SERVER, BRIDGE_ADDRESS, SERVICE_CIDR
from twin.processes import Process

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths

ETCD = "https://127.0.0.1:2379"
ETCD_PEER = "https://127.0.0.1:2380"
SERVICE_ADDRESS = "10.96.0.1"
SERVER_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
ISSUER = "https://kubernetes.default.svc.cluster.local"


def etcd(paths: Paths) -> Process:
    """The cluster's store, for the API server's certificate only."""
    pair = certificates.issue(
        paths, "etcd", common_name="etcd", names=("localhost", "127.0.0.1"), usages=("server", "client")
    )
    _etcd_client(paths)
    ca = str(certificates.authority(paths))
    tls = (f"--cert-file={pair.certificate}", f"--key-file={pair.key}", f"--trusted-ca-file={ca}")
    peer = (
        f"--peer-cert-file={pair.certificate}",
        f"--peer-key-file={pair.key}",
        f"--peer-trusted-ca-file={ca}",
    )
    return Process(
        name="etcd",
        argv=(
            "etcd", "--name=orka-twin", f"--data-dir={paths.etcd}",
            f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}", "--client-cert-auth", *tls,
            f"--listen-peer-urls={ETCD_PEER}", f"--initial-advertise-peer-urls={ETCD_PEER}",
            f"--initial-cluster=orka-twin={ETCD_PEER}", "--peer-client-cert-auth", *peer,
            # A twin that loses its last second in a power cut has lost nothing.
            "--unsafe-no-fsync", "--snapshot-count=10000", "--auto-compaction-retention=1",
        ),
        ready=lambda: access.answers(paths, f"{ETCD}/health"),
        files=(pair.certificate,),
    )  # fmt: skip


def api_server(paths: Paths, kubernetes: Path) -> Process:
    """The API server: Node and RBAC authorization, default admission (PodSecurity is part of it)."""
    server = certificates.issue(
        paths, "kube-apiserver", common_name="kube-apiserver",
        names=("localhost", *SERVER_NAMES, "127.0.0.1", SERVICE_ADDRESS, BRIDGE_ADDRESS),
    )  # fmt: skip
    store = _etcd_client(paths)
    kubelet = certificates.issue(
        paths,
        "kubelet-client",
        common_name="kube-apiserver",
        organization="system:masters",
        usages=("client",),
    )
    public, private = certificates.signing_key(paths, "service-accounts")
    return Process(
        name="kube-apiserver",
        argv=(
            str(kubernetes), "kube-apiserver",
            f"--etcd-servers={ETCD}", f"--etcd-cafile={paths.ca}",
            f"--etcd-certfile={store.certificate}", f"--etcd-keyfile={store.key}",
            "--bind-address=0.0.0.0", "--secure-port=6443", f"--advertise-address={BRIDGE_ADDRESS}",
            f"--tls-cert-file={server.certificate}", f"--tls-private-key-file={server.key}",
            f"--client-ca-file={paths.ca}", f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=false", "--allow-privileged=true", "--profiling=false",
            f"--service-account-issuer={ISSUER}", f"--service-account-key-file={public}",
            f"--service-account-signing-key-file={private}",
            f"--kubelet-certificate-authority={paths.ca}",
            f"--kubelet-client-certificate={kubelet.certificate}", f"--kubelet-client-key={kubelet.key}",
            # Or `kubectl logs` and `exec` would look the node's name up.
            "--kubelet-preferred-address-types=InternalIP",
        ),
        ready=lambda: access.answers(paths, f"{API_SERVER}/readyz"),
        ready_timeout_s=60,
        stop_timeout_s=5,
        files=(server.certificate, store.certificate, kubelet.certificate, public),
    )  # fmt: skip


def controller_manager(paths: Paths, kubernetes: Path) -> Process:
    """The controllers; no address ranges to hand out, as there is one node."""
    pair = _serving(paths, "kube-controller-manager")
    _, private = certificates.signing_key(paths, "service-accounts")
    config = access.kubeconfig(paths, "kube-controller-manager")
    return Process(
        name="kube-controller-manager",
        argv=(
            str(kubernetes), "kube-controller-manager", f"--kubeconfig={config}",
            "--leader-elect=false", "--allocate-node-cidrs=false", "--use-service-account-credentials=true",
            f"--service-account-private-key-file={private}", f"--root-ca-file={paths.ca}",
            "--bind-address=127.0.0.1", f"--tls-cert-file={pair.certificate}",
            f"--tls-private-key-file={pair.key}", "--profiling=false",
            f"--flex-volume-plugin-dir={paths.kubelet / 'volume-plugins'}",
        ),
        ready=lambda: access.answers(paths, "https://127.0.0.1:10257/healthz"),
        files=(config, pair.certificate),
    )  # fmt: skip


def scheduler(paths: Paths, kubernetes: Path) -> Process:
    """The scheduler."""
    pair = _serving(paths, "kube-scheduler")
    config = access.kubeconfig(paths, "kube-scheduler")
    return Process(
        name="kube-scheduler",
        argv=(
            str(kubernetes), "kube-scheduler", f"--kubeconfig={config}", "--leader-elect=false",
            "--bind-address=127.0.0.1", f"--tls-cert-file={pair.certificate}",
            f"--tls-private-key-file={pair.key}", "--profiling=false",
        ),
        ready=lambda: access.answers(paths, "https://127.0.0.1:10259/healthz"),
        files=(config, pair.certificate),
    )  # fmt: skip


def _serving(paths: Paths, name: str) -> certificates.Pair:
    return certificates.serving(paths, name, ("localhost",), ("127.0.0.1",))


def _etcd_client(paths: Paths) -> certificates.Pair:
    return certificates.issue(paths, "etcd-client", common_name="kube-apiserver-etcd", usages=("client",))
