"""Monitoring: all of it in the stack, or what an operator of the cluster makes the rest of, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from components.exporters import Exporters
from components.monitoring_operator import OperatorObjects
from components.monitoring_standalone import Standalone
from model import alerts
from model.alert_routes import Channels
from model.scrape import BACKEND_PODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.configuration import Secrets
    from components.place import Place
    from model.settings import Settings

NOBODY_HEARS = (
    "no alert reaches anybody: "
    "pulumi config set --secret orka-ppm:slack-webhook-url, or orka-ppm:pagerduty-api-key"
)
NOBODY_COUNTS = (
    "no alert watches the share of errors, latency or the error budget: "
    "pulumi config set --path 'orka-ppm:monitoring.edge-metrics.targets[0]' HOST:PORT, "
    "of the ingress controller's metrics"
)
NOBODY_MISSES = (
    "nobody would notice that alerting itself is broken: "
    "pulumi config set --path orka-ppm:monitoring.watchdog-url URL, "
    "of who raises the alarm when it falls silent"
)
CHANNELS = ("slack-webhook-url", "pagerduty-api-key")


def unwatched(settings: Settings, *, heard: bool) -> list[str]:
    """What is missing and would otherwise be missed only when it is needed; `heard`: there is a channel."""
    lacks = {
        NOBODY_HEARS: not heard,
        NOBODY_COUNTS: "edge" not in alerts.conditions(settings),
        NOBODY_MISSES: settings.monitoring.watchdog_url is None,
    }
    return [warning for warning, holds in lacks.items() if holds]


class Monitoring(Component):
    """The parts of one mode."""

    def __init__(
        self,
        name: str,
        place: Place,
        images: Mapping[str, pulumi.Output[str]],
        secrets: Secrets,
        database_url: pulumi.Output[str],
        *,
        release: pulumi.Output[str],
        migration: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings = place.settings
        given = {key: value for key in CHANNELS if (value := secrets.get(key)) is not None}
        channels = Channels(slack="slack-webhook-url" in given, pagerduty="pagerduty-api-key" in given)
        for warning in unwatched(settings, heard=bool(given)):
            pulumi.log.warn(warning, self)
        Exporters(
            "exporters", place, images=images, secrets=secrets, database_url=database_url,
            migration=migration, release=release, opts=self.child,
        )  # fmt: skip
        if settings.monitoring.backend_metrics:
            # Without a virtual address, so that its name answers with every pod: each is scraped by itself.
            k8s.core.v1.Service(
                BACKEND_PODS,
                metadata=workload.metadata(BACKEND_PODS, place.namespace, annotations=workload.SKIP_AWAIT),
                spec={
                    "cluster_ip": "None",
                    "selector": naming.selector(naming.BACKEND, settings.cluster),
                    "ports": [
                        {"name": "http", "port": settings.backend.contract.port, "target_port": "http"}
                    ],
                },
                opts=self.child,
            )
        if settings.monitoring.mode == "standalone":
            Standalone(
                "standalone",
                place,
                images=images,
                channels=channels,
                secrets=given,
                opts=self.child,
            )
        else:
            OperatorObjects("operator", place, channels=channels, secrets=given, opts=self.child)
        self.register_outputs({"mode": settings.monitoring.mode})
