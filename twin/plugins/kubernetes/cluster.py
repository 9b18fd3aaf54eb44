"""The configured cluster: reached when first needed, and changed only if it carries the twin's mark."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from twin.plugins.kubernetes import kinds
from twin.plugins.kubernetes.client import Client
from twin.plugins.kubernetes.config import ProviderConfig, cluster_access
from twin.plugins.kubernetes.errors import ApiError, PluginError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK_NAMESPACE = "kube-system"
MARK_NAME = "orka-twin"


class Cluster:
    """One provider configuration's cluster."""

    def __init__(self, config: ProviderConfig, environment: Mapping[str, str]) -> None:
        self.config = config
        self._environment = environment
        self._lock = threading.Lock()
        self._client: Client | UnreachableError | None = None
        self._marked = False

    @property
    def namespace(self) -> str:
        """The namespace for objects that name none; known without a connection."""
        try:
            return self._connected().namespace
        except UnreachableError:
            return self.config.text("namespace") or "default"

    def client(self) -> Client:
        """A client of a server that answers.

        Raises:
            UnreachableError: it does not, or its address is not known yet.

        """
        client = self._connected()
        client.require()
        return client

    def for_changes(self) -> Client:
        """A client for a real change.

        Raises:
            PluginError: the cluster does not answer, or is not the twin's.

        """
        try:
            client = self.client()
        except UnreachableError as error:
            raise PluginError(f"configured Kubernetes cluster is unreachable: {error}") from error
        with self._lock:
            if not self._marked:
                _require_mark(client)
                self._marked = True
        return client

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            if isinstance(self._client, UnreachableError):
                raise UnreachableError(str(self._client))
            return self._client

    def _connect(self) -> Client | UnreachableError:
        if self.config.unknown:
            return UnreachableError("the provider's configuration is known only after the update")
        try:
            return Client(cluster_access(self.config, self._environment))
        except UnreachableError as error:
            return error


def _require_mark(client: Client) -> None:
    kind = kinds.of_type("kubernetes:core/v1:ConfigMap")
    try:
        client.get(kind, MARK_NAMESPACE, MARK_NAME)
    except ApiError as error:
        raise PluginError(
            f"refused to change the cluster at {client.server}: it does not carry the twin's mark "
            f"(ConfigMap {MARK_NAMESPACE}/{MARK_NAME}: {error.message}). This kubernetes plugin is a "
            "stand-in that only works on the twin; install the official plugin to deploy to any other cluster"
        ) from error
