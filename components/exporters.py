"""Who measures what cannot be asked itself: addresses, Redis, PostgreSQL, and the cluster's own objects."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pulumi_kubernetes as k8s

from components import workload
from components.component import Component
from components.secrets import AppSecret
from components.single_pod import SinglePod, configuration
from model import scrape
from model.monitoring_parts import BLACKBOX, KUBE_METRICS, POSTGRES, REDIS
from model.release import RELEASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi
    from pulumi_kubernetes.core.v1 import VolumeArgsDict

    from components.configuration import Secrets
    from components.place import Place

BLACKBOX_MOUNT = "/etc/orka-blackbox"
LOGIN_MOUNT = "/etc/orka-login"
ACCOUNT_MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
READ = ["get", "list"]
READABLE = {
    "": ["pods", "resourcequotas"],
    "apps": ["deployments"],
    "batch": ["jobs", "cronjobs"],
    "policy": ["poddisruptionbudgets"],
}

# Where the exporter finds which part of its address.
LOGIN_FILES = {
    "DATA_SOURCE_URI_FILE": "address",
    "DATA_SOURCE_USER_FILE": "user",
    "DATA_SOURCE_PASS_FILE": "password",
}


def login_files(url: str, connect_within_s: int) -> dict[str, str]:
    """The address of a database in the three parts that the exporter puts together again."""
    parts = urlsplit(url)
    given = [one for one in parts.query.split("&") if one and not one.startswith("connect_timeout=")]
    query = "&".join([*given, f"connect_timeout={connect_within_s}"])
    return {
        "address": f"{parts.netloc.rpartition('@')[2]}{parts.path}?{query}",
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }


class Exporters(Component):
    """The four. The blackbox exporter has no secrets; each other one has its own."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        images: Mapping[str, pulumi.Output[str]],
        secrets: Secrets,
        database_url: pulumi.Output[str],
        migration: pulumi.Resource,
        release: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        # JSON is YAML.
        modules = {"blackbox.yaml": json.dumps(scrape.blackbox(), indent=1)}
        SinglePod(
            BLACKBOX,
            place,
            image=images[BLACKBOX],
            probe="/-/healthy",
            args=[f"--config.file={BLACKBOX_MOUNT}/blackbox.yaml"],
            files={BLACKBOX_MOUNT: configuration(self, BLACKBOX, place, modules, volume="modules")},
            opts=self.child,
        )
        wait_s = scrape.connect_within_s(place.settings)
        address = place.settings.redis.url
        passwords = secrets["redis-password"].apply(lambda password: json.dumps({address: password}))
        SinglePod(
            REDIS,
            place,
            image=images[REDIS],
            probe="/",
            env={
                "REDIS_ADDR": address,
                "REDIS_PASSWORD_FILE": f"{LOGIN_MOUNT}/passwords.json",
                "REDIS_EXPORTER_CONNECTION_TIMEOUT": f"{wait_s}s",
            },
            files={LOGIN_MOUNT: self._secret(REDIS, place, {"passwords.json": passwords})},
            opts=self.child,
        )
        parts = database_url.apply(lambda url: login_files(url, wait_s))
        login = {part: parts.apply(itemgetter(part)) for part in LOGIN_FILES.values()}
        SinglePod(
            POSTGRES,
            place,
            image=images[POSTGRES],
            probe="/",
            env={
                **{variable: f"{LOGIN_MOUNT}/{part}" for variable, part in LOGIN_FILES.items()},
                # Of what is asked over a connection that it has already.
                "PG_EXPORTER_COLLECTION_TIMEOUT": f"{scrape.CONNECTS_IN_A_ROW * wait_s}s",
            },
            files={LOGIN_MOUNT: self._secret(POSTGRES, place, login)},
            opts=self.child,
        )
        self._kube_metrics(place, images["ops"], migration, release)
        self.register_outputs({})

    def _secret(self, name: str, place: Place, files: Mapping[str, pulumi.Input[str]]) -> VolumeArgsDict:
        """Secrets as files: variables are passed on to every process, and shown by tools that list them."""
        made = AppSecret(name, place.namespace, files, self.child)
        return {"name": "secrets", "secret": {"secret_name": made.name}}

    def _kube_metrics(
        self,
        place: Place,
        image: pulumi.Output[str],
        migration: pulumi.Resource,
        release: pulumi.Output[str],
    ) -> None:
        metadata = workload.metadata(KUBE_METRICS, place.namespace)
        k8s.rbac.v1.Role(
            KUBE_METRICS,
            metadata=metadata,
            rules=[
                {"api_groups": [group], "resources": kinds, "verbs": READ}
                for group, kinds in READABLE.items()
            ],
            opts=self.child,
        )
        k8s.rbac.v1.RoleBinding(
            KUBE_METRICS,
            metadata=metadata,
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": KUBE_METRICS},
            subjects=[{"kind": "ServiceAccount", "name": KUBE_METRICS, "namespace": place.namespace}],
            opts=self.child,
        )
        SinglePod(
            KUBE_METRICS,
            place,
            image=image,
            probe="/",
            args=["kube-metrics"],
            env={"ORKA_NAMESPACE": place.settings.cluster.namespace},
            files={ACCOUNT_MOUNT: _account()},
            # Of the Deployment alone, where the exporter reads it: no pod is made anew for a new release.
            annotations={RELEASE: release},
            # It is of the migration's own image: a bad one stops there, and this keeps counting.
            after=[migration],
            opts=self.child,
        )


def _account() -> VolumeArgsDict:
    """The one token in the namespace: short lived, of an account that may read and nothing else."""
    return {
        "name": "account",
        "projected": {
            "sources": [
                {"service_account_token": {"path": "token", "expiration_seconds": 3600}},
                {
                    "config_map": {
                        "name": "kube-root-ca.crt",
                        "items": [{"key": "ca.crt", "path": "ca.crt"}],
                    }
                },
            ]
        },
    }
