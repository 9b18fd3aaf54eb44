"""The quota follows the settings, and a rollout of everything fits into it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from model.quantity import amount
from tests.unit.harness import complete, run_program


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("250m", Fraction(1, 4)),
        ("2", 2),
        ("1.5", Fraction(3, 2)),
        ("1k", 1000),
        ("1Ki", 1024),
        ("0.5Gi", 512 * 1024**2),
        ("3M", 3_000_000),
    ],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: str, number: Fraction) -> None:
    assert amount(text) == number


def _hard(**backend: Any) -> dict[str, str]:
    config = complete()
    config["backend"] |= backend
    return dict(run_program(config).one("ResourceQuota", "limits").inputs["spec"]["hard"])


def test_every_pod_has_room_for_its_successor() -> None:
    # Backend 2, frontend 2, cron jobs 4, migration, gate and message, and the six of monitoring.
    assert _hard()["pods"] == str(2 * (2 + 2 + 4 + 3 + 6))
    assert _hard(replicas=3)["pods"] == "36"
    assert _hard(autoscaling={"max-replicas": 6})["pods"] == "42"


def test_memory_and_cores_are_the_sum_of_what_the_settings_ask_for() -> None:
    small, large = _hard(), _hard(resources={"cpu-request": "1600m", "memory-limit": "2Gi"})
    assert int(large["requests.cpu"]) - int(small["requests.cpu"]) == 6
    assert int(large["limits.memory"][:-2]) - int(small["limits.memory"][:-2]) == 2 * 2 * 1024


def test_nothing_of_the_namespace_is_reachable_beside_the_edge() -> None:
    assert _hard()["services.loadbalancers"] == _hard()["services.nodeports"] == "0"


def test_where_an_issuer_makes_the_certificates_it_may_answer_its_challenges_by_a_nodeport() -> None:
    config = complete()
    config["edge"]["tls"]["cluster-issuer"] = "letsencrypt"
    hard = run_program(config).one("ResourceQuota", "limits").inputs["spec"]["hard"]
    assert hard.keys() == _hard().keys() - {"services.nodeports"}


def test_an_autoscaler_owns_the_number_of_pods() -> None:
    config = complete()
    config["backend"]["autoscaling"] = {"max-replicas": 6, "cpu-percent": 60}
    run = run_program(config)
    scaler = run.one("HorizontalPodAutoscaler", "backend").inputs["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 6)
    assert scaler["metrics"][0]["resource"]["target"]["averageUtilization"] == 60
    assert run_program().of("HorizontalPodAutoscaler") == []
    assert run.one("Deployment", "backend").left_alone == ("spec.replicas",)
    assert run_program().one("Deployment", "backend").left_alone == ()


def test_switching_an_autoscaler_on_takes_no_pod_away() -> None:
    config = complete()
    before = run_program(config).one("Deployment", "backend").inputs["spec"]
    config["backend"]["autoscaling"] = {"max-replicas": 6}
    assert run_program(config).one("Deployment", "backend").inputs["spec"] == before


def test_where_an_autoscaler_may_make_several_pods_of_one_a_node_can_be_emptied() -> None:
    config = complete()
    config["backend"] |= {"replicas": 1, "autoscaling": {"max-replicas": 6}}
    assert run_program(config).one("PodDisruptionBudget", "backend").inputs["spec"]["maxUnavailable"] == 1
