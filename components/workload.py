"""Builders of pods: small functions from plain values to typed manifests, with safe defaults.

Every pod passes PodSecurity `restricted`: no root, no privileges, a read-only root file system, no token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import naming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        EnvFromSourceArgsDict,
        PodSpecArgsDict,
        PodTemplateSpecArgsDict,
        ProbeArgsDict,
        SecurityContextArgsDict,
        VolumeArgsDict,
        VolumeMountArgsDict,
    )
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict

    from model.settings_contract import Probe, Probes
    from model.settings_resources import Resources

UID = 10_001
TMP = "tmp"
# A pod gets no new connections some moments after it is told to end, not at once: it serves on meanwhile.
DRAIN_SECONDS = 5
GRACE_SECONDS = 30
# Pulumi waits a little longer for a rollout than Kubernetes, so that the reason it prints is Kubernetes' own.
ROLLOUT_MARGIN_SECONDS = 30

PORT_NAME = "http"
"""What every server calls its port. Services lead to the name, whatever number a pod gives it."""
SKIP_AWAIT = {"pulumi.com/skipAwait": "true"}


def metadata(
    name: str, namespace: pulumi.Input[str], *, annotations: Mapping[str, pulumi.Input[str]] | None = None
) -> ObjectMetaArgsDict:
    """Name, namespace and labels of an object whose name is fixed."""
    made: ObjectMetaArgsDict = {"name": name, "namespace": namespace, "labels": naming.labels(name)}
    if annotations:
        made["annotations"] = dict(annotations)
    return made


def security_context(uid: int, gid: int | None = None) -> SecurityContextArgsDict:
    """What a container may not do; its group is its user's where none is given."""
    return {
        "allow_privilege_escalation": False,
        "capabilities": {"drop": ["ALL"]},
        "read_only_root_filesystem": True,
        "run_as_non_root": True,
        "run_as_user": uid,
        "run_as_group": gid or uid,
    }


def http_probe(probe: Probe, port: int) -> ProbeArgsDict:
    """Ask a path."""
    return {
        "http_get": {"path": probe.path, "port": port},
        "period_seconds": probe.period_seconds,
        "failure_threshold": probe.failures,
        "timeout_seconds": probe.timeout_seconds,
    }


def container(
    name: str,
    image: pulumi.Input[str],
    resources: Resources,
    *,
    command: Sequence[str] = (),
    args: Sequence[pulumi.Input[str]] | None = None,
    env: Mapping[str, pulumi.Input[str]] | None = None,
    env_from: Sequence[EnvFromSourceArgsDict] = (),
    mounts: Sequence[VolumeMountArgsDict] = (),
    writable: Sequence[str] = (),
    uid: int = UID,
    gid: int | None = None,
) -> ContainerArgsDict:
    """One container. Its last words stand in Pulumi's error when it fails: the termination message."""
    made: ContainerArgsDict = {
        "name": name,
        "image": image,
        "image_pull_policy": "IfNotPresent",
        "security_context": security_context(uid, gid),
        "termination_message_policy": "FallbackToLogsOnError",
        "resources": {
            "requests": {"cpu": resources.cpu_request, "memory": resources.memory_request},
            "limits": {"memory": resources.memory_limit},
        },
        "volume_mounts": [
            {"name": TMP, "mount_path": "/tmp"},  # noqa: S108 - an emptyDir
            *_mounts(writable),
            *mounts,
        ],
    }
    if command:
        made["command"] = list(command)
    if args is not None:
        made["args"] = list(args)
    if env:
        made["env"] = [{"name": key, "value": value} for key, value in sorted(env.items())]
    if env_from:
        made["env_from"] = list(env_from)
    return made


def serving(made: ContainerArgsDict, port: int, probes: Probes) -> ContainerArgsDict:
    """The same container as a server: its port, three probes, and a pause before it ends.

    No path looks at a dependency: a database that is away must not restart pods, nor take all of them
    out of service at once. What the dependencies' state is, is the verification gate's to judge.
    """
    return {
        **made,
        "ports": [{"name": PORT_NAME, "container_port": port}],
        "startup_probe": http_probe(probes.startup, port),
        "readiness_probe": http_probe(probes.readiness, port),
        "liveness_probe": http_probe(probes.liveness, port),
        "lifecycle": {"pre_stop": {"sleep": {"seconds": DRAIN_SECONDS}}},
    }


def _mounts(writable: Sequence[str]) -> list[VolumeMountArgsDict]:
    return [
        {"name": f"writable-{number}", "mount_path": path} for number, path in enumerate(writable, start=1)
    ]


def _scratch(writable: Sequence[str]) -> list[VolumeArgsDict]:
    names = [TMP, *(str(mount["name"]) for mount in _mounts(writable))]
    return [{"name": name, "empty_dir": {"size_limit": "256Mi"}} for name in names]


def pod(
    made: ContainerArgsDict,
    *,
    labels: Mapping[str, str],
    pull_secrets: Sequence[pulumi.Input[str]] = (),
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
    volumes: Sequence[VolumeArgsDict] = (),
    restart_policy: str = "Always",
    spread: bool = False,
    account: str | None = None,
    writable: Sequence[str] = (),
    gid: int = UID,
) -> PodTemplateSpecArgsDict:
    """A pod of one container, with a writable /tmp and nothing else to write to but `writable`.

    It runs as the service account of its part: `account`, or else the one called like the pod itself.
    """
    spec: PodSpecArgsDict = {
        "automount_service_account_token": False,
        "containers": [made],
        "enable_service_links": False,
        "restart_policy": restart_policy,
        "service_account_name": account or labels["app.kubernetes.io/name"],
        "security_context": {
            "fs_group": gid,
            "run_as_non_root": True,
            "seccomp_profile": {"type": "RuntimeDefault"},
        },
        "termination_grace_period_seconds": GRACE_SECONDS,
        "volumes": [
            *_scratch(writable),
            *volumes,
        ],
    }
    if pull_secrets:
        spec["image_pull_secrets"] = [{"name": name} for name in pull_secrets]
    if spread:
        spec["topology_spread_constraints"] = [
            {
                "max_skew": 1,
                "topology_key": place,
                "when_unsatisfiable": "ScheduleAnyway",
                "label_selector": {"match_labels": dict(labels)},
                # Without the pods that a rollout is about to end.
                "match_label_keys": ["pod-template-hash"],
            }
            for place in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ]
    template: PodTemplateSpecArgsDict = {"metadata": {"labels": dict(labels)}, "spec": spec}
    if annotations:
        template["metadata"] = {"labels": dict(labels), "annotations": dict(annotations)}
    return template
