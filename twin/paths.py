"""Where everything of the twin lies: data in the checkout's `.twin/`, records in the user's state folder.

Sockets lie below `/run/orka-twin`: a unix socket's path may have 107 bytes, a checkout's may be longer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

BRIDGE = "orka0"
BRIDGE_ADDRESS = "10.244.0.1"
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_SERVER = "https://127.0.0.1:6443"


@dataclass(frozen=True, kw_only=True)
class Paths:
    """One twin's folders; every part takes its files from here and from nowhere else."""

    checkout: Path
    data: Path
    state: Path
    run: Path

    @property
    def logs(self) -> Path:
        """`NAME.log` of every process."""
        return self.data / "logs"

    @property
    def bin(self) -> Path:
        """Links to the tools; first on PATH after `eval "$(twin env)"`."""
        return self.data / "bin"

    @property
    def pki(self) -> Path:
        """The twin's own certificate authority and what it signed."""
        return self.data / "pki"

    @property
    def ca(self) -> Path:
        """Certificate of the authority; the edge's certificates come from the same one."""
        return self.pki / "ca.crt"

    @property
    def config(self) -> Path:
        """Configuration files of the processes; written anew by each `twin up`."""
        return self.data / "config"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.data / "kubeconfig"

    @property
    def stack_file(self) -> Path:
        """The stack file of the twin: the committed one plus endpoints, digests and secrets."""
        return self.data / "Pulumi.staging.yaml"

    @property
    def pulumi_state(self) -> Path:
        """The `file://` state backend."""
        return self.data / "pulumi"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME: credentials, workspaces and plugins of the twin's pulumi, apart from the user's."""
        return self.data / "pulumi-home"

    @property
    def pulumi_passphrase(self) -> Path:
        """The file with the state's passphrase, mode 0600."""
        return self.data / "passphrase"

    @property
    def curl(self) -> Path:
        """CURL_HOME: a `.curlrc` that leads the guide's host names to the edge."""
        return self.data / "curl"

    @property
    def secrets(self) -> Path:
        """Generated passwords of the twin's services, mode 0700."""
        return self.data / "secrets"

    @property
    def containerd(self) -> Path:
        """Root of containerd: images and snapshots."""
        return self.data / "containerd"

    @property
    def kubelet(self) -> Path:
        """Root of the kubelet: pods' volumes."""
        return self.data / "kubelet"

    @property
    def etcd(self) -> Path:
        """Data of etcd."""
        return self.data / "etcd"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens."""
        return self.run / "containerd.sock"

    @property
    def docker_socket(self) -> Path:
        """Where the twin's dockerd listens."""
        return self.run / "docker.sock"


def default() -> Paths:
    """The paths of the twin of the checkout that this module lies in."""
    return of(Path(__file__).resolve().parent.parent)


def of(checkout: Path) -> Paths:
    """The paths of one checkout's twin."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Paths(
        checkout=checkout, data=checkout / ".twin", state=Path(base) / "orka-twin", run=Path("/run/orka-twin")
    )
