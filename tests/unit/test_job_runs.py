"""The jobs that a rollout runs once: which, when, with what, and that the gate looks for their effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit import harness
from tests.unit.harness import BEGUN, complete, manifests, run_program

if TYPE_CHECKING:
    from tests.unit.harness import Run

TASKS = ["embedding-generation", "model-training"]


def _config(**verification: Any) -> dict[str, Any]:
    config = complete()
    config["verification"] |= {"run-jobs": TASKS, **verification}
    return config


@pytest.fixture(scope="module")
def run() -> Run:
    made = run_program(_config())
    assert made.error is None
    return made


def _runs(run: Run) -> list[str]:
    return sorted(job.name for job in run.of("Job") if job.name.startswith("run-"))


def _effects(run: Run) -> set[str]:
    checks = json.loads(manifests(run)["configmap-verification"]["data"]["checks.json"])
    return {check["name"] for check in checks["database"] if check["name"].startswith("effect-of-")}


def test_nothing_is_run_that_the_settings_do_not_name() -> None:
    run = run_program(complete())
    assert _runs(run) == []
    assert _effects(run) == set()


def test_each_named_job_runs_as_its_cron_job_does(run: Run) -> None:
    assert _runs(run) == [f"run-{task}" for task in TASKS]
    for task in TASKS:
        made = run.one("Job", f"run-{task}").inputs["spec"]
        scheduled = run.one("CronJob", f"{task}-job").inputs["spec"]["jobTemplate"]["spec"]["template"]
        assert made["template"]["spec"] == scheduled["spec"]
        assert made["template"]["metadata"]["labels"] == scheduled["metadata"]["labels"]
        assert made["backoffLimit"] == 0
        assert made["activeDeadlineSeconds"] <= 180


def test_whatever_makes_the_gate_anew_makes_them_anew(run: Run) -> None:
    def occasion(name: str) -> dict[str, str]:
        return dict(run.one("Job", name).inputs["spec"]["template"]["metadata"]["annotations"])

    gates = occasion("verification")
    assert gates["orka-ppm/release"] == run.outputs["release_id"]
    assert any(key.startswith("orka-ppm/generation.") for key in gates)
    for task in TASKS:
        assert occasion(f"run-{task}") == gates


def _occasions(monkeypatch: pytest.MonkeyPatch, config: dict[str, Any], **metadata: Any) -> list[Any]:
    """The annotations of gate and runs beside a Deployment `backend` that is like this in the cluster."""
    new_resource = harness.Mocks.new_resource

    def seen(self: harness.Mocks, args: Any) -> tuple[str, dict[str, Any]]:
        made, outputs = new_resource(self, args)
        if args.typ.endswith(":Deployment") and args.name == "backend":
            outputs["metadata"] |= metadata
        return made, outputs

    with monkeypatch.context() as patch:
        patch.setattr(harness.Mocks, "new_resource", seen)
        run = run_program(config)
    names = ("verification", *(f"run-{task}" for task in TASKS))
    return [run.one("Job", name).inputs["spec"]["template"]["metadata"]["annotations"] for name in names]


def test_an_autoscaler_that_changes_the_number_of_pods_makes_nothing_anew_and_a_rollout_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = _config()
    first, second = ({"deployment.kubernetes.io/revision": revision} for revision in ("1", "2"))
    config["backend"]["autoscaling"] = {"max-replicas": 6}
    before = _occasions(monkeypatch, config, generation=1, annotations=first)
    assert _occasions(monkeypatch, config, generation=7, annotations=first) == before
    rolled = _occasions(monkeypatch, config, generation=7, annotations=second)
    assert all(new != old for new, old in zip(rolled, before, strict=True))


def test_without_an_autoscaler_a_number_of_pods_that_somebody_changed_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = (_occasions(monkeypatch, _config(), generation=number) for number in (1, 7))
    assert all(new != old for new, old in zip(after, before, strict=True))


def test_they_run_side_by_side_after_the_rollout_and_before_the_gate(run: Run) -> None:
    runs = {f"run-{task}" for task in TASKS}

    def waits_for(name: str) -> set[str]:
        return {urn.rpartition("::")[2] for urn in run.one("Job", name).dependencies}

    assert runs <= waits_for("verification")
    for name in runs:
        assert {"backend", "embedding-generation-job"} <= waits_for(name)
        assert not runs & waits_for(name)


def test_the_gate_looks_for_the_effect_of_each_and_may_ask_the_database(run: Run) -> None:
    assert _effects(run) == {f"effect-of-{task}" for task in TASKS}
    ports = {
        rule["ports"][0]["port"] for rule in manifests(run)["networkpolicy-verification"]["spec"]["egress"]
    }
    assert 5432 in ports


def test_the_effect_is_looked_for_from_the_beginning_of_that_run_on(run: Run) -> None:
    checks = json.loads(manifests(run)["configmap-verification"]["data"]["checks.json"])
    assert {check["since"] for check in checks["database"] if "since" in check} == {BEGUN}
    # Another beginning is another file of checks: the gate is made anew with the run.
    assert len([check for check in checks["database"] if "since" in check]) == len(TASKS)


def test_the_gate_compares_the_catalog_with_the_contract_that_the_migration_applied(run: Run) -> None:
    made = manifests(run)
    data = made["configmap-verification"]["data"]
    checks = json.loads(data["checks.json"])
    assert [check["contract"] for check in checks["catalog"]] == ["/checks/contract.yaml"]
    assert data["contract.yaml"] == made["configmap-migration-sql"]["data"]["contract.yaml"]


def test_a_job_whose_feature_is_off_is_neither_run_nor_looked_for() -> None:
    config = _config()
    config["backend"]["features"]["rag-search"] = False
    run = run_program(config)
    assert _runs(run) == ["run-model-training"]
    assert _effects(run) == {"effect-of-model-training"}


def test_without_a_gate_nothing_is_run() -> None:
    assert _runs(run_program(_config(enabled=False))) == []


def test_a_job_that_does_not_exist_is_refused() -> None:
    assert "verification.run-jobs" in str(run_program(_config(**{"run-jobs": ["backup"]})).error)
