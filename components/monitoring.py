"""Prometheus in the stack, with the alert rules of `manifests/`, scraping what runs here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi_kubernetes as k8s
import yaml

from components import naming, workload
from components.component import Component
from model import alerts
from model.settings_contract import Probes

if TYPE_CHECKING:
    import pulumi
    from pulumi_kubernetes.core.v1 import ContainerArgsDict

    from components.place import Place
    from model.settings import Settings
    from model.settings_monitoring import Monitoring as MonitoringSettings

RULES = Path(__file__).parents[1] / "manifests" / "alerts.yaml"
CONFIG_MOUNT = "/etc/orka-prometheus"
DATA_MOUNT = "/prometheus"
ROLLOUT_SECONDS = 180
READY = {"path": "/-/ready"}
PROBES = Probes.model_validate(
    {
        "startup": READY,
        "readiness": READY,
        "liveness": {"path": "/-/healthy"},
    }
)


def scrape_configuration(settings: Settings) -> dict[str, Any]:
    """What Prometheus asks, and how often. The backend's pods are found by its headless Service."""
    interval = f"{settings.monitoring.scrape_interval_seconds}s"
    return {
        "global": {
            "scrape_interval": interval,
            "evaluation_interval": interval,
            "external_labels": {"environment": settings.cluster.namespace},
        },
        "rule_files": [f"{CONFIG_MOUNT}/rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "prometheus",
                "static_configs": [{"targets": [f"localhost:{naming.PROMETHEUS_PORT}"]}],
            },
            {
                "job_name": "orka-backend",
                "dns_sd_configs": [
                    {
                        "names": [f"{naming.BACKEND}-pods"],
                        "type": "A",
                        "port": settings.backend.contract.port,
                        "refresh_interval": "15s",
                    }
                ],
            },
        ],
    }


def rules_file(settings: Settings, release: str) -> str:
    """The rules as Prometheus reads them."""
    return yaml.safe_dump(alerts.render(alerts.read(RULES), settings, release), sort_keys=False)


class Monitoring(Component):
    """The Deployment and Service `prometheus`; nothing of it is reachable from outside."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        release: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings, namespace, pull_secrets = place.settings, place.namespace, place.pull_secrets
        # Without a virtual address, so that its name answers with every pod: each is scraped by itself.
        k8s.core.v1.Service(
            f"{naming.BACKEND}-pods",
            metadata=workload.metadata(f"{naming.BACKEND}-pods", namespace, annotations=workload.SKIP_AWAIT),
            spec={
                "cluster_ip": "None",
                "selector": naming.selector(naming.BACKEND),
                "ports": [{"name": "http", "port": settings.backend.contract.port, "target_port": "http"}],
            },
            opts=self.child,
        )
        configuration = k8s.core.v1.ConfigMap(
            name,
            metadata={"namespace": namespace},
            immutable=True,
            data={
                "prometheus.yaml": yaml.safe_dump(scrape_configuration(settings), sort_keys=True),
                "rules.yaml": release.apply(lambda value: rules_file(settings, value)),
            },
            opts=self.child,
        )
        k8s.apps.v1.Deployment(
            name,
            metadata=workload.metadata(name, namespace),
            spec={
                "replicas": 1,
                "progress_deadline_seconds": ROLLOUT_SECONDS - 30,
                "selector": {"match_labels": naming.selector(name)},
                "template": workload.pod(
                    _container(settings.monitoring, image),
                    labels=naming.labels(name),
                    pull_secrets=pull_secrets,
                    volumes=[
                        {"name": "configuration", "config_map": {"name": configuration.metadata["name"]}},
                        {"name": "data", "empty_dir": {"size_limit": "4Gi"}},
                    ],
                ),
            },
            opts=self.child_after(seconds=ROLLOUT_SECONDS),
        )
        k8s.core.v1.Service(
            name,
            metadata=workload.metadata(name, namespace, annotations=workload.SKIP_AWAIT),
            spec={
                "selector": naming.selector(name),
                "ports": [{"name": "http", "port": naming.PROMETHEUS_PORT, "target_port": "http"}],
            },
            opts=self.child,
        )
        self.register_outputs({"mode": settings.monitoring.mode})


def _container(settings: MonitoringSettings, image: pulumi.Input[str]) -> ContainerArgsDict:
    made = workload.container(
        naming.PROMETHEUS,
        image,
        settings.resources,
        args=[
            f"--config.file={CONFIG_MOUNT}/prometheus.yaml",
            f"--storage.tsdb.path={DATA_MOUNT}",
            f"--storage.tsdb.retention.time={settings.retention}",
        ],
        mounts=[
            {"name": "configuration", "mount_path": CONFIG_MOUNT, "read_only": True},
            {"name": "data", "mount_path": DATA_MOUNT},
        ],
    )
    return workload.serving(made, naming.PROMETHEUS_PORT, PROBES)
