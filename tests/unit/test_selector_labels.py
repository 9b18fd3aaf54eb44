"""A Deployment made by hand keeps its selector, and everything that selects its pods agrees on it."""

from __future__ import annotations

import pytest

from tests.unit.harness import SECRETS, Run, complete, run_program
from tests.unit.other_settings import OTHER_SETTINGS

BY_HAND = {"app": "api"}
OURS = {"app.kubernetes.io/name": "backend", "app.kubernetes.io/part-of": "orka-ppm"}


@pytest.fixture(scope="module")
def by_hand() -> Run:
    config = complete()
    config["cluster"]["selector-labels"] = {"backend": BY_HAND}
    return run_program(config)


def _selectors(run: Run) -> dict[str, dict[str, str]]:
    """Every selector of the backend's pods, by who selects."""
    found = {
        "service": run.one("Service", "backend").inputs["spec"]["selector"],
        "monitoring": run.one("Service", "backend-pods").inputs["spec"]["selector"],
    }
    for kind in ("Deployment", "PodDisruptionBudget"):
        found[kind] = run.one(kind, "backend").inputs["spec"]["selector"]["matchLabels"]
    found["policy"] = run.one("NetworkPolicy", "backend").inputs["spec"]["podSelector"]["matchLabels"]
    rules = run.one("NetworkPolicy", "frontend").inputs["spec"]["egress"]
    found["peer"] = rules[0]["to"][0]["podSelector"]["matchLabels"]
    return found


def test_whatever_selects_the_pods_does_so_by_their_labels_of_before(by_hand: Run, run: Run) -> None:
    assert _selectors(by_hand) == dict.fromkeys(_selectors(run), BY_HAND)
    assert _selectors(run) == dict.fromkeys(_selectors(run), OURS)


def test_the_new_pods_have_both_the_labels_of_before_and_ours(by_hand: Run) -> None:
    template = by_hand.one("Deployment", "backend").inputs["spec"]["template"]
    assert template["metadata"]["labels"] == {**OURS, **BY_HAND, "app.kubernetes.io/managed-by": "pulumi"}
    assert template["spec"]["serviceAccountName"] == "backend"


def test_the_other_parts_keep_theirs(by_hand: Run, run: Run) -> None:
    for name in ("frontend", "prometheus"):
        assert by_hand.one("Deployment", name).inputs == run.one("Deployment", name).inputs


def test_the_logs_aggregator_made_by_hand_keeps_its_selector_too() -> None:
    labels = {"app": "fluentd"}
    everything = OTHER_SETTINGS["everything"]
    config = everything.config()
    config["cluster"]["selector-labels"] = {"fluentd": labels}
    run = run_program(config, {**SECRETS, **everything.secrets})
    assert run.error is None, run.error
    deployment = run.one("Deployment", "fluentd").inputs["spec"]
    assert deployment["selector"]["matchLabels"] == labels
    assert labels.items() <= deployment["template"]["metadata"]["labels"].items()
    for name in ("fluentd-forward", "fluentd-metrics"):
        assert run.one("Service", name).inputs["spec"]["selector"] == labels
    assert run.one("NetworkPolicy", "fluentd").inputs["spec"]["podSelector"]["matchLabels"] == labels
