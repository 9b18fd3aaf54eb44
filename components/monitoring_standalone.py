"""Prometheus and Alertmanager of the stack's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from components.component import Component
from components.secrets import AppSecret
from components.watcher import Watcher, configuration
from model import alertmanager, alerts, scrape
from model.monitoring_parts import ALERTMANAGER, PORTS, PROMETHEUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from components.place import Place
    from model.alert_routes import Channels
    from model.settings import Settings
    from model.settings_monitoring import Monitoring

RULES = Path(__file__).parents[1] / "manifests" / "alerts.yaml"
PROMETHEUS_MOUNT, ALERTMANAGER_MOUNT = "/etc/orka-prometheus", "/etc/orka-alertmanager"
PROMETHEUS_DATA, ALERTMANAGER_DATA = "/prometheus", "/alertmanager"
# Of the 4Gi of its volume: what it writes ahead is not in this, and a pod that takes more is evicted.
PROMETHEUS_KEEPS = "3GB"
RESEND_SECONDS = 60
ALERTMANAGER_ARGS = (
    f"--config.file={ALERTMANAGER_MOUNT}/alertmanager.yaml",
    f"--storage.path={ALERTMANAGER_DATA}",
    # Alone: no peers are looked for.
    "--cluster.listen-address=",
    f"--web.external-url=http://{ALERTMANAGER}:{PORTS[ALERTMANAGER]}",
)


def prometheus_args(monitoring: Monitoring) -> list[str]:
    """An alert is sent again the sooner, the faster the clock of a rehearsal runs."""
    resend = max(1, RESEND_SECONDS // monitoring.clock_divisor)
    return [
        f"--config.file={PROMETHEUS_MOUNT}/prometheus.yaml",
        f"--storage.tsdb.path={PROMETHEUS_DATA}",
        f"--storage.tsdb.retention.time={monitoring.retention}",
        f"--storage.tsdb.retention.size={PROMETHEUS_KEEPS}",
        f"--rules.alert.resend-delay={resend}s",
    ]


def rules_file(settings: Settings) -> str:
    """The rules as Prometheus reads them."""
    return yaml.safe_dump(alerts.render(alerts.read(RULES), settings), sort_keys=False)


class Standalone(Component):
    """Two pods."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        images: Mapping[str, pulumi.Output[str]],
        channels: Channels,
        secrets: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings = place.settings
        routes = alertmanager.configuration(settings, channels)
        files = {
            ALERTMANAGER_MOUNT: configuration(
                self, ALERTMANAGER, place, {"alertmanager.yaml": yaml.safe_dump(routes)}
            )
        }
        if secrets:
            kept = AppSecret(ALERTMANAGER, place.namespace, secrets, self.child).name
            files[alertmanager.SECRETS_MOUNT] = {"name": "secrets", "secret": {"secret_name": kept}}
        told = Watcher(
            ALERTMANAGER,
            place,
            image=images[ALERTMANAGER],
            probe="/-/healthy",
            args=ALERTMANAGER_ARGS,
            files=files,
            data=ALERTMANAGER_DATA,
            opts=self.child,
        )
        scraped = configuration(
            self,
            PROMETHEUS,
            place,
            {
                "prometheus.yaml": yaml.safe_dump(scrape.configuration(settings)),
                "rules.yaml": rules_file(settings),
            },
        )
        Watcher(
            PROMETHEUS,
            place,
            image=images[PROMETHEUS],
            probe="/-/ready",
            args=prometheus_args(settings.monitoring),
            files={PROMETHEUS_MOUNT: scraped},
            data=PROMETHEUS_DATA,
            opts=self.child_after(told),
        )
        self.register_outputs({})
