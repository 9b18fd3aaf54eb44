"""What a pod may do on its node: PodSecurity `restricted`, and the stricter settings that our pods keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from policy.objects import containers, pods, whole
from policy.rule import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.rule import Manifest

# Below it lie the users of images and nodes: a pod that breaks out must not be one of them.
LOWEST_UID = 10_000
DIGEST = re.compile(r"[^@\s]+@sha256:[0-9a-f]{64}")
# It counts pods and jobs for the alerts, by a role of its own that only reads.
TOKEN_HOLDERS = ("kube-metrics",)
# Everything but what reaches the node: hostPath, and the old volumes of clouds and storage servers.
VOLUMES = {
    "name",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


def non_root(manifest: Manifest) -> Iterator[Fault]:
    """`runAsNonRoot` holds for every container."""
    for container in containers(manifest):
        if container.context("runAsNonRoot") is not True:
            yield Fault(container.context_path("runAsNonRoot"), "not true")


def high_uid(manifest: Manifest) -> Iterator[Fault]:
    """Every container says which user it is, and it is none of the image's or the node's."""
    for container in containers(manifest):
        uid = container.context("runAsUser")
        if not isinstance(uid, int) or uid < LOWEST_UID:
            yield Fault(container.context_path("runAsUser"), f"unset or below {LOWEST_UID}")


def no_escalation(manifest: Manifest) -> Iterator[Fault]:
    """No program in the container may get more rights than its parent."""
    for container in containers(manifest):
        if container.context("allowPrivilegeEscalation") is not False:
            yield Fault(container.context_path("allowPrivilegeEscalation"), "not false")


def not_privileged(manifest: Manifest) -> Iterator[Fault]:
    """No container is root of the node."""
    for container in containers(manifest):
        if container.context("privileged"):
            yield Fault(container.context_path("privileged"), "true")


def no_capabilities(manifest: Manifest) -> Iterator[Fault]:
    """All capabilities are dropped and none is added."""
    for container in containers(manifest):
        capabilities = container.here.part("securityContext", "capabilities")
        if "ALL" not in (capabilities.get("drop") or []):
            yield Fault(capabilities.below("drop"), "lacks ALL")
        if capabilities.get("add"):
            yield Fault(capabilities.below("add"), "adds what was dropped")


def seccomp(manifest: Manifest) -> Iterator[Fault]:
    """The runtime's filter of system calls is on."""
    for container in containers(manifest):
        profile = container.context("seccompProfile")
        if not isinstance(profile, dict) or profile.get("type") != "RuntimeDefault":
            yield Fault(f"{container.context_path('seccompProfile')}.type", "not RuntimeDefault")


def read_only_root(manifest: Manifest) -> Iterator[Fault]:
    """Nothing can be written into the image's files."""
    for container in containers(manifest):
        if container.context("readOnlyRootFilesystem") is not True:
            yield Fault(container.context_path("readOnlyRootFilesystem"), "not true")


def no_host_namespaces(manifest: Manifest) -> Iterator[Fault]:
    """The pod sees neither the node's network nor its processes."""
    for pod in pods(manifest):
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(key):
                yield Fault(pod.below(key), "true")


def no_host_ports(manifest: Manifest) -> Iterator[Fault]:
    """No port of the node leads past the network policies into the pod."""
    for container in containers(manifest):
        for port in container.here.parts("ports"):
            if port.get("hostPort"):
                yield Fault(port.below("hostPort"), "set")


def volume_types(manifest: Manifest) -> Iterator[Fault]:
    """No volume reaches the node's own files."""
    for pod in pods(manifest):
        for volume in pod.parts("volumes"):
            for kind in sorted(set(volume.value) - VOLUMES):
                yield Fault(volume.below(kind), "a type of volume that is not allowed")


def bounded_scratch(manifest: Manifest) -> Iterator[Fault]:
    """What a pod writes to the node's disk has an end: beside a read-only root it has nothing else."""
    for pod in pods(manifest):
        for volume in pod.parts("volumes"):
            if "emptyDir" in volume.value and not volume.get("emptyDir", "sizeLimit"):
                yield Fault(volume.below("emptyDir", "sizeLimit"), "unset")


def kernel_guards(manifest: Manifest) -> Iterator[Fault]:
    """AppArmor, SELinux, /proc and the kernel's settings are as the node has them."""
    for container in containers(manifest):
        if container.context("procMount") not in (None, "Default"):
            yield Fault(container.context_path("procMount"), "not the default")
        for here in (container.here, container.pod):
            context = here.part("securityContext")
            if context.get("appArmorProfile", "type") == "Unconfined":
                yield Fault(context.below("appArmorProfile", "type"), "Unconfined")
            for key in ("seLinuxOptions", "sysctls", "windowsOptions"):
                if context.get(key):
                    yield Fault(context.below(key), "set")


def no_token(manifest: Manifest) -> Iterator[Fault]:
    """Neither the pod nor its account gets a token for the API server, and no volume brings one."""
    account = whole(manifest)
    if manifest.get("kind") == "ServiceAccount" and account.get("automountServiceAccountToken") is not False:
        yield Fault("automountServiceAccountToken", "not false")
    for pod in pods(manifest):
        if pod.get("automountServiceAccountToken") is not False:
            yield Fault(pod.below("automountServiceAccountToken"), "not false")
        held = account.get("metadata", "name") in TOKEN_HOLDERS
        for volume in () if held else pod.parts("volumes"):
            for source in volume.parts("projected", "sources"):
                if "serviceAccountToken" in source.value:
                    yield Fault(source.below("serviceAccountToken"), "a token by another way")


def image_digest(manifest: Manifest) -> Iterator[Fault]:
    """What runs is what was judged: a tag can be moved."""
    for container in containers(manifest):
        if not DIGEST.fullmatch(str(container.here.get("image") or "")):
            yield Fault(container.here.below("image"), "not NAME@sha256:DIGEST")


def resources(manifest: Manifest) -> Iterator[Fault]:
    """The scheduler knows what a container needs, and no container takes its neighbours' memory.

    No limit of CPU is asked for: it would slow a pod down while the node is idle.
    """
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    for container in containers(manifest):
        for keys in wanted:
            if not container.here.get("resources", *keys):
                yield Fault(container.here.below("resources", *keys), "unset")


def account(manifest: Manifest) -> Iterator[Fault]:
    """A pod runs as the account of its part, which has no rights, and not as the one that everybody has."""
    for pod in pods(manifest):
        if pod.get("serviceAccountName") in (None, "", "default"):
            yield Fault(pod.below("serviceAccountName"), "unset or default")
