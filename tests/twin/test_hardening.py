"""What the cluster itself says about the namespace: who is let in, as whom, and within which limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from model.quantity import amount

if TYPE_CHECKING:
    from tests.twin.stack import Stack

IMAGE = f"localhost:5000/nothing@sha256:{'0' * 64}"


def test_the_admission_refuses_a_pod_that_is_not_hardened(deployed: Stack) -> None:
    command = ["kubectl", "--namespace", "staging", "run", "intruder", "--image", IMAGE, "--dry-run=server"]
    refused = deployed.run(*command)
    assert refused.code != 0
    assert 'violates PodSecurity "restricted' in refused.output, refused


def test_every_pod_runs_as_its_own_account_and_one_alone_has_a_token(deployed: Stack) -> None:
    pods = json.loads(deployed.kubectl("get", "pods", "--output", "json"))["items"]
    assert pods
    for pod in pods:
        assert pod["spec"]["serviceAccountName"] != "default", pod["metadata"]["name"]
        volumes = json.dumps(pod["spec"].get("volumes", []))
        counts = pod["metadata"]["labels"]["app.kubernetes.io/name"] == "kube-metrics"
        assert ("serviceAccountToken" in volumes) == counts, pod["metadata"]["name"]


@pytest.mark.parametrize("resource", ["pods", "requests.cpu", "requests.memory", "limits.memory"])
def test_what_runs_leaves_room_for_a_successor_of_each(deployed: Stack, resource: str) -> None:
    status = deployed.manifest("resourcequota", "orka-ppm")["status"]
    assert amount(status["used"][resource]) * 2 <= amount(status["hard"][resource])


def test_the_api_server_takes_every_policy_as_it_was_meant(deployed: Stack) -> None:
    found = json.loads(deployed.kubectl("get", "networkpolicies", "--output", "json"))["items"]
    policies = {item["metadata"]["name"]: item["spec"] for item in found}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {"allow-dns", "backend", "cron-jobs", "frontend", "migration"} <= set(policies)
