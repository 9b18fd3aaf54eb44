"""Kubeconfigs with client certificates, one for each part of the cluster and one for people."""

from __future__ import annotations

import base64
import json
import ssl
from typing import TYPE_CHECKING

import httpx

from twin import certificates, files
from twin.paths import API_SERVER

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths

NODE = "orka-twin"
TIMEOUT_S = 5.0
# Part: user and group that Kubernetes' own roles are bound to.
PARTS = {
    "admin": ("orka-twin-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "kube-proxy": ("system:kube-proxy", ""),
    "coredns": ("orka-twin:coredns", ""),
}


def client_pair(paths: Paths, part: str) -> certificates.Pair:
    """The client certificate of a part."""
    user, group = PARTS[part]
    return certificates.issue(
        paths, f"client-{part}", common_name=user, organization=group, usages=("client",)
    )


def kubeconfig(paths: Paths, part: str, target: Path | None = None) -> Path:
    """The kubeconfig of a part, written below `.twin/config` or to `target`.

    Certificates are embedded, so that the file works from any folder.
    """
    pair = client_pair(paths, part)
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NODE,
        "clusters": [
            {
                "name": NODE,
                "cluster": {"server": API_SERVER, "certificate-authority-data": _encoded(paths.ca)},
            }
        ],
        "users": [
            {
                "name": part,
                "user": {
                    "client-certificate-data": _encoded(pair.certificate),
                    "client-key-data": _encoded(pair.key),
                },
            }
        ],
        "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": part}}],
    }
    target = target or paths.config / f"{part}.kubeconfig"
    # JSON is YAML.
    return files.write(target, json.dumps(content, indent=1) + "\n")


def client(paths: Paths) -> httpx.Client:
    """An HTTPS client that trusts the twin's authority alone and is the administrator."""
    pair = client_pair(paths, "admin")
    context = ssl.create_default_context(cafile=str(certificates.authority(paths)))
    context.load_cert_chain(pair.certificate, pair.key)
    return httpx.Client(verify=context, timeout=TIMEOUT_S, trust_env=False)


def answers(paths: Paths, url: str) -> bool:
    """Whether a health address says 200.

    Raises:
        OSError: it cannot be reached; the error says why.
    """
    try:
        with client(paths) as asked:
            answer = asked.get(url)
    except httpx.HTTPError as error:
        raise OSError(f"{url}: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise OSError(f"{url}: {answer.status_code} {answer.text[-600:]}")
    return True


def _encoded(file: Path) -> str:

    return base64.b64encode(file.read_bytes()).decode()
