"""Settings that change what is deployed: what must hold for the stack's manifests must hold under each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.unit.harness import SECRETS, Run, complete, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CHANNELS = {
    "slack-webhook-url": "https://hooks.slack.com/services/T0/B0/canary-slack",
    "pagerduty-api-key": "0123456789abcdef0123456789canary",
}
SINKS = {
    "fluentd-shared-key": "canary-shared",
    "elasticsearch-password": "canary-elastic",
    "splunk-hec-token": "canary-splunk",
}


@dataclass(frozen=True)
class OtherSettings:
    """A change of the settings, and the secrets that it asks for."""

    change: Callable[[dict[str, Any]], None]
    secrets: Mapping[str, str] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """The settings after the change."""
        config = complete()
        self.change(config)
        return config

    def run(self) -> Run:
        """What the program registers then."""
        run = run_program(self.config(), {**SECRETS, **self.secrets})
        assert run.error is None, run.error
        return run


def _autoscaled(config: dict[str, Any]) -> None:
    config["backend"] |= {"replicas": 1, "autoscaling": {"max-replicas": 6, "cpu-percent": 70}}


def _application(config: dict[str, Any]) -> None:
    config["backend"]["profile"] = config["frontend"]["profile"] = "orka-ppm"
    config["verification"]["checker"] = True


def _certificates(config: dict[str, Any]) -> None:
    config["edge"]["tls"]["cluster-issuer"] = "letsencrypt"


def _small(config: dict[str, Any]) -> None:
    config["monitoring"]["mode"] = "none"
    config["backend"]["replicas"] = 1
    config["verification"]["enabled"] = False


def _hosted(config: dict[str, Any]) -> None:
    config["frontend"] |= {"target": "external", "url": "https://staging.orka-ppm.example.com"}
    config["registry"]["username"] = "puller"
    here = {"namespaces": [], "cidrs": ["10.244.0.1/32"]}
    config["network"] |= {"edge": here, "dns": here, "database": {"port": 5432, "cidrs": ["10.244.0.1/32"]}}


def _operator(config: dict[str, Any]) -> None:
    config["monitoring"]["mode"] = "operator"


def _everything(config: dict[str, Any]) -> None:
    """What is off by default, all of it that goes together."""
    _autoscaled(config)
    _certificates(config)
    config["verification"] |= {"checker": True, "announce": True}
    config["logging"] |= {"sink": "elasticsearch", "url": "https://logs.example.com:9200"}
    config["images"]["fluentd"] = {"repository": "docker.io/fluent/x", "digest": f"sha256:{'1' * 64}"}


OTHER_SETTINGS = {
    "autoscaled": OtherSettings(_autoscaled),
    "application": OtherSettings(_application),
    "certificates": OtherSettings(_certificates),
    "small": OtherSettings(_small),
    "hosted": OtherSettings(_hosted, {"registry-password": "canary-registry"}),
    "operator": OtherSettings(_operator, CHANNELS),
    "everything": OtherSettings(_everything, {**CHANNELS, **SINKS}),
}
