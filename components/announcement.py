"""The guide's message to Slack: a Job after each green gate. A red one has an alert, OrkaJobFailed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import naming, workload
from components.awaited_job import awaited_job
from components.component import Component
from components.secrets import AppSecret
from model.settings_resources import Resources

if TYPE_CHECKING:
    import pulumi
    import pulumi_kubernetes as k8s

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
        labels = naming.labels(name)
        pod = workload.pod(
            told,
            labels=labels,
            annotations={"orka-ppm/gate": gate.metadata["name"]},
            pull_secrets=place.pull_secrets,
            restart_policy="Never",
            volumes=[{"name": "webhook", "secret": {"secret_name": secret}}],
        )
        awaited_job(self, name, place.namespace, pod, labels=labels, seconds=DEADLINE_SECONDS, after=[gate])
        self.register_outputs({})
