"""The guide's message to Slack: a Job after each green gate. A red one has an alert, OrkaJobFailed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from components.secrets import AppSecret
from model.settings_resources import Resources

if TYPE_CHECKING:
    import pulumi

    from components.place import Place

KEY = "slack-webhook-url"
MOUNT = "/etc/orka-announcement"
DEADLINE_SECONDS = 150


class Announcement(Component):
    """The Job. It is made anew when the gate's is: its template carries the name of that one."""

    def __init__(
        self,
        name: str,
        place: Place,
        image: pulumi.Input[str],
        webhook: pulumi.Input[str],
        gate: k8s.batch.v1.Job,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        secret = AppSecret(name, place.namespace, {KEY: webhook}, self.child).name
        told = workload.container(
            "announcement",
            image,
            Resources(),
            args=["alerts", "announce", "--url-file", f"{MOUNT}/{KEY}"],
            mounts=[{"name": "webhook", "mount_path": MOUNT, "read_only": True}],
        )
        k8s.batch.v1.Job(
            name,
            metadata={
                "namespace": place.namespace,
                "labels": naming.labels(name),
                "annotations": {"pulumi.com/replaceUnready": "true"},
            },
            spec={
                "backoff_limit": 0,
                "active_deadline_seconds": DEADLINE_SECONDS,
                "template": workload.pod(
                    told,
                    labels=naming.labels(name),
                    annotations={"orka-ppm/gate": gate.metadata["name"]},
                    pull_secrets=place.pull_secrets,
                    restart_policy="Never",
                    volumes=[{"name": "webhook", "secret": {"secret_name": secret}}],
                ),
            },
            opts=self.child_after(gate, seconds=DEADLINE_SECONDS + 60),
        )
        self.register_outputs({})
