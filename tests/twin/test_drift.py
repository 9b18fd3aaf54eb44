"""What people change by hand is shown by a refresh and healed by the next `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.twin.relabelled_image import backend_digest

if TYPE_CHECKING:
    from tests.twin.stack import Stack

SUSPENDED, RESCHEDULED = "model-training-job", "scheduled-reports-job"
BY_HAND = "17 7 * * *"
POLICY = "default-deny"


def _container(stack: Stack) -> dict[str, Any]:
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    return dict(pod["containers"][0])


def _shows(output: str, before: str, after: str) -> bool:
    """Whether one line of a diff leads from one text to the other."""
    changes = (line.partition("=>") for line in output.splitlines())
    return any(before in old and after in new for old, _, new in changes)


def test_hand_made_drift_of_every_kind_is_shown_and_healed(deployed: Stack) -> None:
    image = _container(deployed)["image"]
    schedule = deployed.manifest("cronjob", RESCHEDULED)["spec"]["schedule"]
    repository, _, good = image.rpartition("@")
    other = backend_digest("next")

    deployed.kubectl("scale", "deployment", "backend", "--replicas", "3")
    deployed.kubectl("set", "env", "deployment/backend", "LOG_LEVEL=ERROR")
    deployed.kubectl("set", "image", "deployment/backend", f"backend={repository}@{other}")
    deployed.kubectl("delete", "poddisruptionbudget", "backend")
    deployed.kubectl("delete", "networkpolicy", POLICY)
    deployed.kubectl("patch", "cronjob", SUSPENDED, "--patch", '{"spec":{"suspend":true}}')
    deployed.kubectl("patch", "cronjob", RESCHEDULED, "--patch", f'{{"spec":{{"schedule":"{BY_HAND}"}}}}')

    shown = deployed.pulumi("refresh", "--preview-only", "--diff")
    assert "replicas: 2 => 3" in shown.output, shown
    assert _shows(shown.output, "INFO", "ERROR"), shown
    assert _shows(shown.output, good, other), shown
    assert "suspend: false => true" in shown.output, shown
    assert _shows(shown.output, schedule, BY_HAND), shown
    assert "PodDisruptionBudget" in shown.output, shown
    assert "NetworkPolicy" in shown.output, shown

    healed = deployed.up()
    assert healed.code == 0, healed
    assert deployed.manifest("deployment", "backend")["spec"]["replicas"] == 2
    backend = _container(deployed)
    assert {item["name"]: item.get("value") for item in backend["env"]}["LOG_LEVEL"] == "INFO"
    assert backend["image"] == image
    assert deployed.manifest("poddisruptionbudget", "backend")["spec"]["maxUnavailable"] == 1
    assert deployed.manifest("networkpolicy", POLICY)["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert deployed.manifest("cronjob", SUSPENDED)["spec"]["suspend"] is False
    assert deployed.manifest("cronjob", RESCHEDULED)["spec"]["schedule"] == schedule


def test_a_rule_that_somebody_added_to_a_network_policy_is_named_by_ops_status(deployed: Stack) -> None:
    # A refresh compares what the program says; of a field that it leaves out it sees nothing.
    opened = {f"networkpolicy/{POLICY} by kubectl-patch": ["spec.ingress"]}
    deployed.kubectl(
        "patch", "networkpolicy", POLICY, "--type", "merge", "--patch", '{"spec":{"ingress":[{}]}}'
    )
    try:
        assert opened.items() <= deployed.drift().items()
    finally:
        closed = '[{"op":"remove","path":"/spec/ingress"}]'
        deployed.kubectl("patch", "networkpolicy", POLICY, "--type", "json", "--patch", closed)
    assert not opened.keys() & deployed.drift().keys()
    assert "ingress" not in deployed.manifest("networkpolicy", POLICY)["spec"]
