"""Rules over all components at once, under settings that have each of them."""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import components
from components.component import Component
from tests.unit.harness import SECRET_MARK, Registered, Run
from tests.unit.other_settings import OTHER_SETTINGS, OtherSettings

# A token is part of every resource's identity in the state: changing one needs an alias.
TOKENS = {
    "orka:index:Announcement",
    "orka:index:AppSecret",
    "orka:index:Backend",
    "orka:index:Checker",
    "orka:index:CronJobs",
    "orka:index:DatabaseExtension",
    "orka:index:DatabaseMigration",
    "orka:index:Edge",
    "orka:index:Exporters",
    "orka:index:Frontend",
    "orka:index:StagingNamespace",
    "orka:index:Images",
    "orka:index:JobRuns",
    "orka:index:Limits",
    "orka:index:LoginRoles",
    "orka:index:Logs",
    "orka:index:Monitoring",
    "orka:index:NetworkPolicies",
    "orka:index:OperatorObjects",
    "orka:index:PullSecret",
    "orka:index:ServiceAccounts",
    "orka:index:Watcher",
    "orka:index:Standalone",
    "orka:index:Verification",
}
# Only classes made of it are ever registered.
BASE = "orka:index:Server"
# The committed ones, and those that bring every component which these leave out.
SETTINGS = {
    "committed": OtherSettings(lambda _: None),
    "operator": OTHER_SETTINGS["operator"],
    "everything": OTHER_SETTINGS["everything"],
}
# How many templates of pods each brings.
PODS = {"committed": 14, "operator": 12, "everything": 17}


@cache
def _run(name: str) -> Run:
    return SETTINGS[name].run()


@pytest.fixture(params=SETTINGS)
def settings(request: pytest.FixtureRequest) -> str:
    """The name of each."""
    return str(request.param)


@pytest.fixture
def run(settings: str) -> Run:
    """What the program registers under them."""
    return _run(settings)


def _pods(run: Run) -> dict[str, dict]:
    pods = {r.name: r.inputs["spec"]["template"]["spec"] for r in [*run.of("Deployment"), *run.of("Job")]}
    for job in run.of("CronJob"):
        pods[job.name] = job.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return pods


def test_the_tokens_are_the_known_ones() -> None:
    types = {resource.type for name in SETTINGS for resource in _run(name).resources}
    assert {kind for kind in types if kind.startswith("orka:")} == TOKENS, "a renamed class needs an alias"


def test_every_component_class_is_covered_by_the_program() -> None:
    classes = set()
    for file in Path(components.__path__[0]).glob("*.py"):
        for _, member in inspect.getmembers(import_module(f"components.{file.stem}"), inspect.isclass):
            if (
                issubclass(member, Component)
                and member is not Component
                and member.__module__.endswith(file.stem)
            ):
                classes.add(f"orka:index:{member.__name__}")
    assert classes - {BASE} == TOKENS


def test_every_resource_has_a_component_as_its_parent(run: Run) -> None:
    for resource in run.resources:
        if resource.custom and not resource.type.startswith("pulumi:providers:"):
            assert "orka:index:" in resource.parent.rpartition("::")[0], f"{resource.type} {resource.name}"


def test_every_component_is_completed(run: Run) -> None:
    made = {f"{r.type}::{r.name}" for r in run.resources if r.type.startswith("orka:")}
    assert [one for one in made if not any(urn.endswith(one) for urn in run.completed)] == []


def test_every_pod_passes_the_restricted_standard(run: Run, settings: str) -> None:
    pods = _pods(run)
    assert len(pods) == PODS[settings]
    for name, pod in pods.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context["runAsUser"] >= 10_000, name


def test_every_pod_runs_as_an_account_of_its_own_part_that_gets_no_token(run: Run) -> None:
    accounts = {account.name: account for account in run.of("ServiceAccount")}
    used = {name: pod["serviceAccountName"] for name, pod in _pods(run).items()}
    assert set(used.values()) == set(accounts)
    assert {name for name, account in used.items() if account == "cron-jobs"} == {
        name for name in used if name.endswith("-job")
    }
    assert all(a.inputs["automountServiceAccountToken"] is False for a in accounts.values())


def test_no_pod_starts_before_the_namespace_is_guarded(run: Run) -> None:
    guards = [*run.of("NetworkPolicy"), *run.of("ServiceAccount"), run.one("ResourceQuota", "limits")]
    for pod in [*run.of("Deployment"), *run.of("Job"), *run.of("CronJob")]:
        for guard in guards:
            assert any(urn.endswith(f"{guard.type}::{guard.name}") for urn in pod.dependencies), (
                f"{pod.name} does not wait for {guard.type} {guard.name}"
            )


def test_every_container_is_pinned_limited_and_says_why_it_ended(run: Run) -> None:
    for name, pod in _pods(run).items():
        for container in pod["containers"]:
            assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"]), name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name
            assert container["terminationMessagePolicy"] == "FallbackToLogsOnError", name


def test_configuration_is_immutable_and_auto_named(run: Run) -> None:
    for resource in [*run.of("ConfigMap"), *run.of("Secret")]:
        assert resource.inputs["immutable"] is True, resource.name
        assert "name" not in resource.inputs["metadata"], resource.name
        assert not resource.retained, "a kept object would block the way back"


def test_every_secret_is_marked(run: Run) -> None:
    for resource in run.of("Secret"):
        assert resource.inputs["stringData"].get(SECRET_MARK), resource.name


def test_everything_lies_in_the_namespace(run: Run) -> None:
    for resource in run.resources:
        if resource.type.startswith("kubernetes:") and not resource.type.endswith(":Namespace"):
            assert resource.inputs["metadata"]["namespace"] == "staging", resource.name


def test_names_fit_into_dns_labels(run: Run) -> None:
    for resource in run.resources:
        assert len(_name(resource)) <= 52, "a cron job's pods and an auto-name need the rest of the 63"


def _name(resource: Registered) -> str:
    metadata = resource.inputs.get("metadata")
    return str(metadata.get("name", resource.name)) if isinstance(metadata, dict) else resource.name


def test_the_retained_resource_is_the_extension_alone(run: Run) -> None:
    assert [r.name for r in run.resources if r.retained] == ["vector"]


def test_no_manifest_holds_an_empty_list_that_the_api_server_would_drop(run: Run) -> None:
    def empty(value: object, path: str = "") -> list[str]:
        if isinstance(value, dict):
            return [found for key, item in value.items() for found in empty(item, f"{path}.{key}")]
        if isinstance(value, list):
            inner = [found for index, item in enumerate(value) for found in empty(item, f"{path}[{index}]")]
            return inner or ([] if value else [path])
        return []

    kubernetes = [resource for resource in run.resources if resource.type.startswith("kubernetes:")]
    assert kubernetes
    assert [f"{one.name}{path}" for one in kubernetes for path in empty(one.inputs)] == []
