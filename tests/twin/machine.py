"""What the tests of the twin itself ask of the command line and of the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from twin import proc
from twin.environment import environment
from twin.paths import Paths, default

if TYPE_CHECKING:
    from pathlib import Path

COMMAND_TIMEOUT_S = 900
KUBECTL_TIMEOUT_S = 90


def twin(*words: str, checkout: Path | None = None) -> subprocess.CompletedProcess[str]:
    """One command of the twin of a checkout, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "twin.cli", *words],
        cwd=checkout or default().checkout,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )


def begin(*words: str) -> subprocess.Popen[str]:
    """The same, but only started; its progress can be read from stderr."""
    return subprocess.Popen(
        [sys.executable, "-m", "twin.cli", *words],
        cwd=default().checkout,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def status() -> dict[str, Any]:
    """What `twin status --json` says."""
    read: dict[str, Any] = json.loads(twin("status", "--json").stdout)
    return read


def kubectl(*words: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    """One kubectl command against the twin."""
    done = subprocess.run(
        ["kubectl", *words],
        input=stdin,
        env={**os.environ, **environment(default())},
        capture_output=True,
        text=True,
        timeout=KUBECTL_TIMEOUT_S,
        check=False,
    )
    assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
    return done


def apply(*manifests: dict[str, Any]) -> None:
    """`kubectl apply` of some objects."""
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def pod(name: str, namespace: str, script: str, image: str, **spec: Any) -> dict[str, Any]:
    """A pod that runs a shell script and has a label of its own name."""
    policy = "Never" if image.startswith("orka.twin/") else "IfNotPresent"
    container = {"name": "main", "image": image, "imagePullPolicy": policy, "command": ["sh", "-c", script]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], **spec},
    }


def processes_of(paths: Paths) -> list[str]:
    """Command lines of all processes that name the twin's data or run folder, but for this test's own."""
    own = {os.getpid(), *proc.descendants({os.getpid()})}
    marks = (str(paths.data), str(paths.run))
    lines = {pid: " ".join(proc.argv(pid)) for pid in proc.pids() if pid not in own}
    return [line for line in lines.values() if any(mark in line for mark in marks)]


def _environment() -> dict[str, str]:
    # The person's own PATH: what `twin env` adds must not decide which pulumi is found.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
    folders = [folder for folder in kept["PATH"].split(":") if not folder.startswith(str(default().data))]
    return {**kept, "PATH": ":".join(folders)}
