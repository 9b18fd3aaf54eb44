"""The guide's fluentd: an aggregator that node agents of another namespace send to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from components.secrets import AppSecret, variables
from components.single_pod import SinglePod, configuration
from model import fluentd
from model.fluentd_text import written
from model.scrape import LOGS_SERVICE

if TYPE_CHECKING:
    import pulumi
    from pulumi_kubernetes.core.v1 import ServicePortArgsDict

    from components.configuration import Secrets
    from components.place import Place

MOUNT = "/fluentd/etc"
FILTER = Path(__file__).parents[1] / "manifests" / "filter_hide_secrets.rb"
SECRETS = {key: key for key in (fluentd.SHARED_KEY, fluentd.ELASTICSEARCH, fluentd.SPLUNK)}
"""Files by the names of their settings."""


class Logs(Component):
    """The Deployment `fluentd`, and its Services: for the agents, and for who counts what gets through."""

    def __init__(
        self,
        name: str,
        place: Place,
        image: pulumi.Input[str],
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        logging = place.settings.logging
        text = written(fluentd.configuration(logging))
        kept = AppSecret(name, place.namespace, variables(SECRETS, secrets), self.child).name
        # fluentd looks for filters of ours by the name of their file.
        files = {"fluent.conf": text, FILTER.name: FILTER.read_text()}
        SinglePod(
            naming.FLUENTD,
            place,
            image=image,
            probe="/api/plugins.json",
            port=fluentd.MONITOR_PORT,
            resources=logging.resources,
            args=["fluentd", "-c", f"{MOUNT}/fluent.conf", "-p", MOUNT],
            files={
                MOUNT: configuration(self, name, place, files),
                fluentd.SECRETS_MOUNT: {"name": "secrets", "secret": {"secret_name": kept}},
            },
            data=fluentd.BUFFER,
            opts=self.child,
        )
        self._service(f"{naming.FLUENTD}-forward", place, {"name": "forward", "port": fluentd.FORWARD_PORT})
        self._service(LOGS_SERVICE, place, {"name": "http", "port": fluentd.METRICS_PORT})
        self.register_outputs({"sink": logging.sink})

    def _service(self, name: str, place: Place, port: ServicePortArgsDict) -> None:
        k8s.core.v1.Service(
            name,
            metadata=workload.metadata(name, place.namespace, annotations=workload.SKIP_AWAIT),
            spec={"selector": naming.selector(naming.FLUENTD, place.settings.cluster), "ports": [port]},
            opts=self.child,
        )
