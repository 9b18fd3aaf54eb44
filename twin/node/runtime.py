"""containerd of the node, with folders and socket of its own: the machine's containerd is not touched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twin import files
from twin.node import image, network
from twin.packages import CNI_PLUGINS
from twin.processes import Process

if TYPE_CHECKING:
    from twin.paths import Paths

REGISTRY = "localhost:5000"
STATE_FOLDER = "containerd"
IPAM_FOLDER = "cni"


def process(paths: Paths) -> Process:
    """Configuration written, containerd described."""
    config = files.write(paths.config / "containerd.toml", configuration(paths))
    network_list = files.write(
        paths.config / "cni" / "10-orka-twin.conflist", network.cni_configuration(paths.run / IPAM_FOLDER)
    )
    # Plain HTTP. User and password are the pods' imagePullSecrets.
    hosts = files.write(
        paths.config / "certs.d" / REGISTRY / "hosts.toml",
        f'server = "http://{REGISTRY}"\n\n[host."http://{REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n',
    )
    return Process(
        name="containerd",
        argv=("containerd", "--config", str(config)),
        ready=lambda: files.accepts(paths.containerd_socket),
        files=(config, network_list, hosts),
    )


def configuration(paths: Paths) -> str:
    """The TOML for containerd 1.6 (version 2 of its format)."""
    cri = "io.containerd.grpc.v1.cri"
    sections: list[tuple[str, dict[str, object]]] = [
        (
            "",
            {
                "version": 2,
                "root": str(paths.containerd),
                "state": str(paths.run / STATE_FOLDER),
                "disabled_plugins": [
                    "io.containerd.snapshotter.v1.btrfs",
                    "io.containerd.snapshotter.v1.zfs",
                ],
            },
        ),
        ("grpc", {"address": str(paths.containerd_socket)}),
        ('plugins."io.containerd.internal.v1.opt"', {"path": str(paths.containerd / "opt")}),
        (
            f'plugins."{cri}"',
            {
                "sandbox_image": image.PAUSE,
                # Without CAP_SYS_RESOURCE runc cannot lower a score, and every sandbox fails.
                "restrict_oom_score_adj": True,
            },
        ),
        (f'plugins."{cri}".cni', {"bin_dir": str(CNI_PLUGINS), "conf_dir": str(paths.config / "cni")}),
        (f'plugins."{cri}".containerd.runtimes.runc', {"runtime_type": "io.containerd.runc.v2"}),
        (f'plugins."{cri}".containerd.runtimes.runc.options', {"SystemdCgroup": False}),
        (f'plugins."{cri}".registry', {"config_path": str(paths.config / "certs.d")}),
    ]
    lines: list[str] = []
    for name, values in sections:
        lines += [f"[{name}]"] if name else []
        # JSON's strings, numbers, booleans and lists of strings are TOML's as well.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
