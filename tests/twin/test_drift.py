"""What people change by hand is shown by a refresh and healed by the next `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.twin.stack import Stack


def test_hand_made_drift_is_shown_and_healed(deployed: Stack) -> None:
    deployed.kubectl("scale", "deployment", "backend", "--replicas", "3")
    deployed.kubectl("set", "env", "deployment/backend", "LOG_LEVEL=ERROR")
    deployed.kubectl("delete", "poddisruptionbudget", "backend")
    deployed.kubectl("patch", "cronjob", "model-training-job", "--patch", '{"spec":{"suspend":true}}')
    shown = deployed.pulumi("refresh", "--preview-only", "--diff")
    assert "replicas: 2 => 3" in shown.output, shown
    assert "ERROR" in shown.output, shown
    assert "suspend: false => true" in shown.output, shown
    assert "PodDisruptionBudget" in shown.output, shown
    healed = deployed.up()
    assert healed.code == 0, healed
    backend = deployed.manifest("deployment", "backend")["spec"]
    assert backend["replicas"] == 2
    env = {item["name"]: item.get("value") for item in backend["template"]["spec"]["containers"][0]["env"]}
    assert env["LOG_LEVEL"] == "INFO"
    assert deployed.manifest("poddisruptionbudget", "backend")["spec"]["maxUnavailable"] == 1
    assert deployed.manifest("cronjob", "model-training-job")["spec"]["suspend"] is False
