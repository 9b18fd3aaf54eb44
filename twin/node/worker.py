"""The kubelet and kube-proxy of the one node."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twin import certificates, files
from twin.node import access, network
from twin.node.access import NODE
from twin.paths import BRIDGE_ADDRESS, POD_CIDR
from twin.processes import Process

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths


def kubelet(paths: Paths, kubernetes: Path) -> Process:
    """The kubelet; containerd must answer already, or it would end."""
    pair = certificates.serving(paths, "kubelet", (NODE,), (BRIDGE_ADDRESS, "127.0.0.1"))
    resolver = files.write(paths.config / "resolv.conf", f"nameserver {BRIDGE_ADDRESS}\n", 0o644)
    settings = kubelet_configuration(paths, pair, resolver)
    config = files.write(paths.config / "kubelet.json", json.dumps(settings, indent=1) + "\n")
    login = access.kubeconfig(paths, "kubelet")
    return Process(
        name="kubelet",
        argv=(
            str(kubernetes), "kubelet", f"--config={config}", f"--kubeconfig={login}",
            f"--root-dir={paths.kubelet}", f"--hostname-override={NODE}", f"--node-ip={BRIDGE_ADDRESS}",
        ),
        ready=lambda: access.answers(paths, "http://127.0.0.1:10248/healthz"),
        files=(config, login, pair.certificate),
    )  # fmt: skip


def kubelet_configuration(paths: Paths, pair: certificates.Pair, resolver: Path) -> dict[str, Any]:
    """KubeletConfiguration v1beta1."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": BRIDGE_ADDRESS,
        "healthzBindAddress": "127.0.0.1",
        "tlsCertFile": str(pair.certificate),
        "tlsPrivateKeyFile": str(pair.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(paths.ca)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{paths.containerd_socket}",
        "clusterDNS": [BRIDGE_ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolver),
        "podLogsDir": str(paths.data / "pod-logs"),
        "volumePluginDir": str(paths.kubelet / "volume-plugins"),
        "serializeImagePulls": False,
        # The disk is the person's own: a share of it that is in use says nothing about the twin.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "500Mi",
            "imagefs.available": "500Mi",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
    }


def proxy(paths: Paths, kubernetes: Path) -> Process:
    """kube-proxy by iptables; it leaves the conntrack settings of the machine alone."""
    login = access.kubeconfig(paths, "kube-proxy")
    masquerade = () if network.bridged_traffic_is_filtered() else ("--masquerade-all",)
    return Process(
        name="kube-proxy",
        argv=(
            str(kubernetes), "kube-proxy", f"--kubeconfig={login}", f"--hostname-override={NODE}",
            "--proxy-mode=iptables", f"--cluster-cidr={POD_CIDR}", "--iptables-localhost-nodeports=false",
            "--nodeport-addresses=primary",
            "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0",
            "--conntrack-tcp-timeout-close-wait=0",
            "--healthz-bind-address=127.0.0.1:10256", "--metrics-bind-address=127.0.0.1:10249", *masquerade,
        ),
        ready=lambda: access.answers(paths, "http://127.0.0.1:10256/healthz"),
        files=(login,),
    )  # fmt: skip
