"""The parts of monitoring that have pods: their names, ports, and under which mode each is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.settings_monitoring import SMALL

if TYPE_CHECKING:
    from model.settings import Settings
    from model.settings_resources import Resources

PROMETHEUS, ALERTMANAGER, BLACKBOX = "prometheus", "alertmanager", "blackbox-exporter"
REDIS, POSTGRES, KUBE_METRICS = "redis-exporter", "postgres-exporter", "kube-metrics"
PORTS = {
    PROMETHEUS: 9090,
    ALERTMANAGER: 9093,
    BLACKBOX: 9115,
    REDIS: 9121,
    POSTGRES: 9187,
    KUBE_METRICS: 8080,
}
EXPORTERS = (BLACKBOX, REDIS, POSTGRES, KUBE_METRICS)


def parts(settings: Settings) -> tuple[str, ...]:
    """Who is there under these settings."""
    return {"standalone": tuple(PORTS), "operator": EXPORTERS, "none": ()}[settings.monitoring.mode]


def resources(settings: Settings, part: str) -> Resources:
    """What one of them may use."""
    return settings.monitoring.resources if part == PROMETHEUS else SMALL
