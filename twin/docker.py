"""The twin's own Docker daemon: it builds images and pushes them, and runs nothing that stays.

It has its own containerd, folders and socket, no bridge and no iptables rules: builds get no network,
and whatever Docker the machine itself has is not touched. Its images lie in the cache, because a data
root inside the checkout would be walked by every build that has the checkout as its context.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import docker
from docker.errors import DockerException

from twin import files
from twin.processes import Process
from twin.steps import Step
from twin.toolchain.build import cache_root

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths
    from twin.processes import Supervisor

LABEL = "orka.twin=true"
API_TIMEOUT_S = 600
PING_TIMEOUT_S = 5


def url(paths: Paths) -> str:
    """What DOCKER_HOST must be to reach the daemon."""
    return f"unix://{paths.docker_socket}"


def client(paths: Paths, timeout_s: int = API_TIMEOUT_S) -> docker.DockerClient:
    """A client of the twin's daemon; close it after use."""
    return docker.DockerClient(base_url=url(paths), timeout=timeout_s)


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """One step: containerd and dockerd run and answer."""

    def run() -> str:
        supervisor.ensure(_containerd(paths))
        return supervisor.ensure(_dockerd(paths))

    return [Step("Docker daemon", run)]


def _containerd(paths: Paths) -> Process:
    socket = _containerd_socket(paths)
    config = files.write(
        paths.config / "docker-containerd.toml",
        "\n".join(
            (
                "version = 2",
                f"root = {json.dumps(str(cache_root() / 'docker-containerd'))}",
                f"state = {json.dumps(str(paths.run / 'docker-containerd'))}",
                'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
                "[grpc]",
                f"address = {json.dumps(str(socket))}",
                "",
            )
        ),
    )
    return Process(
        name="docker-containerd",
        argv=("containerd", "--config", str(config)),
        ready=lambda: files.accepts(socket),
        files=(config,),
    )


def _dockerd(paths: Paths) -> Process:
    settings = {
        "data-root": str(cache_root() / "docker"),
        "exec-root": str(paths.run / "docker"),
        "pidfile": str(paths.run / "docker.pid"),
        "hosts": [url(paths)],
        "containerd": str(_containerd_socket(paths)),
        "labels": [LABEL],
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userland-proxy": False,
        "storage-driver": "overlay2",
        "group": "root",
        "deprecated-key-path": str(paths.config / "docker-key.json"),  # else it writes into /etc/docker
    }
    config = files.write(paths.config / "dockerd.json", json.dumps(settings, indent=1))
    return Process(
        name="dockerd",
        argv=("dockerd", "--config-file", str(config)),
        ready=lambda: _answers(paths),
        ready_timeout_s=60,
        files=(config,),
        stop_timeout_s=20,
    )


def _containerd_socket(paths: Paths) -> Path:
    return paths.run / "docker-containerd.sock"


def _answers(paths: Paths) -> bool:
    if not files.accepts(paths.docker_socket):
        return False
    try:
        with contextlib.closing(client(paths, PING_TIMEOUT_S)) as asked:
            return LABEL in asked.info()["Labels"]
    except DockerException as error:
        raise OSError(str(error)) from error
