"""What an operator's Prometheus and Alertmanager are told: monitors, probes, rules and routes as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource

from components import naming
from components.component import Component
from components.monitoring_standalone import RULES
from components.secrets import AppSecret
from model import alerts, operator_objects
from model.monitoring_parts import ALERTMANAGER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from components.place import Place
    from model.alert_routes import Channels

GROUP = "monitoring.coreos.com"
NAME = naming.WHOLE


class OperatorObjects(Component):
    """The objects; without channels and watchdog there is no AlertmanagerConfig, for it would tell nobody."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        channels: Channels,
        secrets: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings = place.settings
        for job, spec in operator_objects.service_monitors(settings).items():
            self._made("ServiceMonitor", job, place, spec)
        for probe, spec in operator_objects.probes(settings).items():
            # Of its job: a host may be longer than the value of a label.
            self._made("Probe", probe, place, spec, part=spec["jobName"])
        self._made("PrometheusRule", NAME, place, alerts.render(alerts.read(RULES), settings))
        if secrets or settings.monitoring.watchdog_url:
            # Where nothing is secret there is no Secret, and no receiver that would name it.
            kept = (
                AppSecret(ALERTMANAGER, place.namespace, secrets, self.child).name
                if secrets
                else pulumi.Output.from_input("")
            )
            self._made(
                "AlertmanagerConfig",
                NAME,
                place,
                kept.apply(lambda made: operator_objects.alertmanager_config(settings, channels, made)),
                version="v1alpha1",
            )
        self.register_outputs({})

    def _made(
        self,
        kind: str,
        name: str,
        place: Place,
        spec: pulumi.Input[Any],
        *,
        version: str = "v1",
        part: str | None = None,
    ) -> None:
        labels = {**naming.labels(part or name), **place.settings.monitoring.operator.labels}
        CustomResource(
            f"{kind.lower()}-{name}",
            api_version=f"{GROUP}/{version}",
            kind=kind,
            metadata={"name": name, "namespace": place.namespace, "labels": labels},
            spec=spec,
            opts=self.child,
        )
