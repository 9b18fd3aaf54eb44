"""The provider's configuration: which inputs there are, and the access to the cluster they describe."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from twin.plugins.kubernetes.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGS = {
    "deleteUnreachable": "PULUMI_K8S_DELETE_UNREACHABLE",
    "enableConfigMapMutable": "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
    "enablePatchForce": "PULUMI_K8S_ENABLE_PATCH_FORCE",
    "enableSecretMutable": "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
    "enableServerSideApply": "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY",
    "skipUpdateUnreachable": "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
    "suppressDeprecationWarnings": "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS",
    "upsertExistingObjects": "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
}
TEXTS = ("kubeconfig", "context", "cluster", "namespace", "clusterIdentifier")
KNOWN = frozenset({*FLAGS, *TEXTS, "version", "pluginDownloadURL"})
# A change of these may mean another cluster: everything would have to be made anew there.
CLUSTER_KEYS = ("kubeconfig", "context", "cluster", "clusterIdentifier")


@dataclass(frozen=True)
class ProviderConfig:
    """The provider's inputs, secrets revealed."""

    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    flags: Mapping[str, bool] = field(default_factory=dict)
    unknown: bool = False

    def flag(self, name: str) -> bool:
        """Whether the switch `name` is on."""
        return self.flags[name]

    def text(self, name: str) -> str:
        """The input `name`, empty when it is not set."""
        return self.texts.get(name, "")


def unknown_keys(inputs: Mapping[str, Any]) -> list[str]:
    """Inputs that this provider does not have (dunder keys belong to the engine)."""
    return sorted(key for key in inputs if key not in KNOWN and not key.startswith("__"))


def parse_flag(name: str, value: object) -> bool:
    """A switch as the protocol carries it: `true`, or the text "true".

    Raises:
        ValueError: it is neither true nor false.

    """
    text = value.lower() if isinstance(value, str) else json.dumps(value)
    if text not in ("true", "false", ""):
        raise ValueError(f"{name} must be true or false")
    return text == "true"


def read(inputs: Mapping[str, Any], environment: Mapping[str, str]) -> ProviderConfig:
    """The configuration from plain inputs (secrets revealed) and, where they are silent, the environment."""
    flags = {
        name: parse_flag(name, inputs.get(name, environment.get(variable, "")))
        for name, variable in FLAGS.items()
        if name != "enableServerSideApply"
    }
    default = environment.get(FLAGS["enableServerSideApply"], "true")
    flags["enableServerSideApply"] = parse_flag(
        "enableServerSideApply", inputs.get("enableServerSideApply", default)
    )
    texts = {name: str(inputs[name]) for name in TEXTS if isinstance(inputs.get(name), str | dict)}
    if isinstance(inputs.get("kubeconfig"), dict):
        texts["kubeconfig"] = json.dumps(inputs["kubeconfig"])
    return ProviderConfig(texts=texts, flags=flags)


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach one API server, and the namespace for objects that name none."""

    server: str
    namespace: str
    cluster: Mapping[str, Any] = field(repr=False)
    user: Mapping[str, Any] = field(repr=False)
    folder: Path = field(default_factory=Path.cwd)


def cluster_access(config: ProviderConfig, environment: Mapping[str, str]) -> ClusterAccess:
    """The cluster that a configuration points at.

    Raises:
        UnreachableError: there is no kubeconfig, it cannot be read, or it has no such context.

    """
    document, folder = _load(config.text("kubeconfig"), environment)
    name = config.text("context") or document.get("current-context") or ""
    context = _named(document, "contexts", name).get("context") or {}
    cluster_name = config.text("cluster") or context.get("cluster") or ""
    cluster = _named(document, "clusters", cluster_name).get("cluster") or {}
    user = _named(document, "users", context.get("user") or "").get("user") or {}
    if not cluster.get("server"):
        raise UnreachableError(f"the kubeconfig has no server for context {name!r}")
    if "exec" in user or "auth-provider" in user:
        raise UnreachableError("the kubeconfig's user needs a login helper, which this stand-in does not run")
    namespace = config.text("namespace") or context.get("namespace") or "default"
    return ClusterAccess(str(cluster["server"]).rstrip("/"), str(namespace), cluster, user, folder)


def with_unknown(config: ProviderConfig, *, unknown: bool) -> ProviderConfig:
    """The same configuration, marked as one whose cluster is known only after the update."""
    return replace(config, unknown=unknown)


def is_other_cluster(
    olds: Mapping[str, Any], news: Mapping[str, Any], environment: Mapping[str, str]
) -> bool:
    """Whether two configurations lead to different API servers (or carry different identifiers)."""
    before, after = olds.get("clusterIdentifier"), news.get("clusterIdentifier")
    if before and after:
        return bool(before != after)
    try:
        old_server = cluster_access(read(olds, environment), environment).server
        new_server = cluster_access(read(news, environment), environment).server
    except (UnreachableError, ValueError):
        # The old file may be gone; then nothing says that it was another cluster.
        return False
    return old_server != new_server


def _load(kubeconfig: str, environment: Mapping[str, str]) -> tuple[dict[str, Any], Path]:
    """The kubeconfig's contents and the folder that relative paths in it start from."""
    folder = Path.cwd()
    text = kubeconfig
    if not kubeconfig.lstrip().startswith("{") and "\n" not in kubeconfig.strip():
        default = environment.get("KUBECONFIG", "").split(os.pathsep)[0] or str(
            Path.home() / ".kube" / "config"
        )
        path = Path(kubeconfig or default).expanduser()
        folder = path.parent
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UnreachableError(f"cannot read the kubeconfig {path}: {error.strerror}") from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        # The parser's message quotes the text, which holds keys.
        raise UnreachableError("the kubeconfig is not YAML") from None
    if not isinstance(document, dict):
        raise UnreachableError("the kubeconfig is not a kubeconfig")
    return document, folder


def _named(document: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    for entry in document.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    return {}
