"""The whole program under mocks: what waits for what, what is secret, what it exports."""

from __future__ import annotations

import json
import re
import shutil
from argparse import ArgumentParser
from typing import TYPE_CHECKING

import pulumi
import pytest

from components import outputs
from components.database import MONITOR
from components.migration import read_sql
from model.monitoring_parts import PORTS
from model.plan import REVIEW, PlanError, load_plan
from model.review import load_review
from model.scrape import BACKEND_PODS
from ops.checker.probes import REQUIRED
from ops.checks import arguments
from tests.checkout import CHECKOUT
from tests.unit import harness
from tests.unit.harness import SECRET_MARK, SECRETS, Registered, Run, complete, run_program
from tests.unit.other_settings import CHANNELS
from tests.unit.rendered import masked

if TYPE_CHECKING:
    from pathlib import Path


def _waits_for(run: Run, resource: Registered, other: Registered) -> bool:
    """Whether the engine starts `resource` only after `other`, directly or not."""
    urns = {_urn_end(r): r for r in run.resources}
    seen: set[str] = set()
    todo = [resource]
    while todo:
        for urn in todo.pop().dependencies:
            end = urn.rpartition("$")[2] if "$" in urn else urn.split("::", 2)[2]
            if end not in seen:
                seen.add(end)
                if end in urns:
                    todo.append(urns[end])
    return _urn_end(other) in seen


def _urn_end(resource: Registered) -> str:
    return f"{resource.type}::{resource.name}"


def test_the_extension_comes_before_the_migration(run: Run) -> None:
    assert _waits_for(run, run.one("Job", "migration"), run.one("Extension", "vector"))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Role", "app-1"),
        ("Deployment", "backend"),
        ("Deployment", "frontend"),
        ("Deployment", "kube-metrics"),
        ("CronJob", "anomaly-detection-job"),
        ("CronJob", "embedding-generation-job"),
        ("CronJob", "model-training-job"),
        ("CronJob", "scheduled-reports-job"),
        ("Job", "verification"),
    ],
)
def test_what_runs_the_application_waits_for_the_migration(run: Run, kind: str, name: str) -> None:
    assert _waits_for(run, run.one(kind, name), run.one("Job", "migration"))


def test_no_cron_job_gets_a_new_image_before_the_backend_runs_with_it(run: Run) -> None:
    jobs = run.of("CronJob")
    assert len(jobs) == 4
    for job in jobs:
        assert _waits_for(run, job, run.one("Deployment", "backend")), job.name


def test_the_gate_waits_for_everything_it_judges(run: Run) -> None:
    gate = run.one("Job", "verification")
    for resource in [run.one("Deployment", "backend"), run.one("Deployment", "frontend"), *run.of("CronJob")]:
        assert _waits_for(run, gate, resource), resource.name
    for name in ("backend", "frontend"):
        assert _waits_for(run, gate, run.one("Service", name)), name


def _announced() -> Run:
    config = complete()
    config["verification"]["announce"] = True
    return run_program(config, {**SECRETS, **CHANNELS})


def test_slack_is_told_of_a_deployment_after_its_gate_is_green(run: Run) -> None:
    announced = _announced()
    message, gate = announced.one("Job", "announcement"), announced.one("Job", "verification")
    assert any(urn.endswith(_urn_end(gate)) for urn in message.dependencies)
    assert not _waits_for(announced, gate, message)
    # Of each gate there is one message: the template changes with the gate's name.
    annotations = message.inputs["spec"]["template"]["metadata"]["annotations"]
    assert annotations["orka-ppm/gate"] == "verification-auto"
    assert not [resource for resource in run.resources if "announcement" in resource.name]


def test_slack_is_told_nothing_of_a_deployment_whose_gate_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    made, new_resource = list[str](), harness.Mocks.new_resource

    def red(self: harness.Mocks, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        made.append(f"{args.typ.rpartition(':')[2]} {args.name}")
        if made[-1] == "Job verification":
            raise RuntimeError("the gate is red")
        return new_resource(self, args)

    monkeypatch.setattr(harness.Mocks, "new_resource", red)
    with pytest.raises(Exception, match="the gate is red"):
        _announced()
    assert "Job verification" in made
    assert "Job announcement" not in made
    assert "Secret announcement" in made


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_a_way_to_pods_made_by_hand_is_changed_only_when_ours_serve(run: Run, name: str) -> None:
    assert _waits_for(run, run.one("Service", name), run.one("Deployment", name))
    assert _waits_for(run, run.one("Ingress", name), run.one("Service", name))


def test_the_gate_is_made_anew_after_every_real_change(run: Run) -> None:
    annotations = run.one("Job", "verification").inputs["spec"]["template"]["metadata"]["annotations"]
    assert annotations["orka-ppm/release"] == run.outputs["release_id"]
    judged = {"backend", "frontend", *run.outputs["cron_jobs"]}
    assert {f"orka-ppm/generation.{name}" for name in judged} <= set(annotations)
    assert {"orka-ppm/name.backend", "orka-ppm/name.jobs", "orka-ppm/name.checks"} <= set(annotations)


def test_the_preview_says_what_each_migration_is_without_a_connection(run: Run) -> None:
    annotations = run.one("ConfigMap", "migration-sql").inputs["metadata"]["annotations"]
    plan = load_plan(CHECKOUT / "sql")
    for migration in plan.migrations:
        line = annotations[f"orka-ppm/migration.{migration.version}"]
        assert migration.sha256[:16] in line
        assert all(part in line for part in (migration.name, "statements", "locks: ", "lint: no finding"))


def test_a_review_of_other_files_is_refused(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "sql", tmp_path / "sql")
    up = tmp_path / "sql" / load_plan(CHECKOUT / "sql").migrations[0].path
    assert load_review(tmp_path / "sql", load_plan(tmp_path / "sql"))
    up.write_text(up.read_text() + "-- edited")
    with pytest.raises(PlanError, match=r"python -m ops\.migrate\.review"):
        load_review(tmp_path / "sql", load_plan(tmp_path / "sql"))
    (tmp_path / "sql" / REVIEW).unlink()
    with pytest.raises(PlanError, match="missing"):
        load_review(tmp_path / "sql", load_plan(tmp_path / "sql"))


def test_a_folder_of_sql_that_is_not_in_order_is_one_clear_error(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "sql", tmp_path / "sql")
    (tmp_path / "sql" / "024_without_a_step").mkdir()
    (tmp_path / "sql" / "024_without_a_step" / "down.sql").touch()
    with pytest.raises(pulumi.RunError, match=r"^sql: 024_without_a_step: .*up.sql is missing.*changed$"):
        read_sql(tmp_path / "sql")


def test_the_migration_backs_up_to_the_claim_that_is_named_and_the_stack_never_owns_it(run: Run) -> None:
    pod = run.one("Job", "migration").inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"][-2:] == ["--backup-dir", "/backup"]
    assert {"name": "backup", "mountPath": "/backup"} in container["volumeMounts"]
    claim = complete()["migration"]["backup"]["claim"]
    assert {"name": "backup", "persistentVolumeClaim": {"claimName": claim}} in pod["volumes"]
    assert run.of("PersistentVolumeClaim") == []


def test_nothing_deletes_the_namespace_while_backups_lie_in_a_claim_of_it(run: Run) -> None:
    assert [one.name for one in run.resources if one.protected] == ["namespace"]
    config = complete()
    config["migration"]["backup"] = None
    assert [one.name for one in run_program(config).resources if one.protected] == []


@pytest.mark.parametrize("unset", ["left out", None])
def test_without_a_claim_there_is_no_backup(unset: str | None) -> None:
    config = complete()
    if unset is None:
        config["migration"]["backup"] = None
    else:
        del config["migration"]["backup"]
    pod = run_program(config).one("Job", "migration").inputs["spec"]["template"]["spec"]
    assert "--backup-dir" not in pod["containers"][0]["args"]
    assert [volume["name"] for volume in pod["volumes"]] == ["tmp", "sql"]


@pytest.mark.parametrize("name", ["migration", "verification"])
def test_an_awaited_job_ends_by_itself_and_is_made_anew_when_it_failed(run: Run, name: str) -> None:
    job = run.one("Job", name)
    spec = job.inputs["spec"]
    assert spec["backoffLimit"] == 0
    assert "ttlSecondsAfterFinished" not in spec
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert job.inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    assert spec["activeDeadlineSeconds"] < int(job.timeouts["create"].removesuffix("s"))


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_a_rollout_leaves_no_gap_and_ends(run: Run, name: str) -> None:
    server = run.one("Deployment", name)
    spec = server.inputs["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert spec["progressDeadlineSeconds"] < int(server.timeouts["update"].removesuffix("s"))
    container = spec["template"]["spec"]["containers"][0]
    assert container["startupProbe"]["periodSeconds"] == 1
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] > 0


@pytest.mark.parametrize("name", ["backend", "frontend"])
def test_a_node_that_is_emptied_takes_neither_api_nor_page_away(run: Run, name: str) -> None:
    spec = run.one("Deployment", name).inputs["spec"]
    places = [one["topologyKey"] for one in spec["template"]["spec"]["topologySpreadConstraints"]]
    assert places == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    budget = run.one("PodDisruptionBudget", name).inputs["spec"]
    assert (spec["replicas"], budget["maxUnavailable"]) == (2, 1)
    assert budget["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_the_outputs_are_the_documented_ones(run: Run) -> None:
    assert tuple(run.outputs) == outputs.NAMES
    assert all("@sha256:" in reference for reference in run.outputs["images"].values())


def test_no_secret_stands_anywhere_in_plain_text(run: Run) -> None:
    for resource in run.resources:
        assert "canary" not in json.dumps(masked(resource.inputs)), resource.name
    assert "canary" not in json.dumps(run.outputs)


def test_a_suspended_job_keeps_its_schedule_in_the_outputs_and_is_told_beside_it() -> None:
    config = complete()
    config["cron-jobs"]["model-training"]["suspended"] = True
    outputs_then = run_program(config).outputs
    assert outputs_then["cron_jobs"]["model-training-job"] == "0 0 * * 0"
    assert outputs_then["verification"]["suspended_cron_jobs"] == ["model-training-job"]


def test_the_outputs_tell_whether_there_are_objects_for_an_operator(run: Run) -> None:
    assert run.outputs["verification"]["operator"] is False
    config = complete()
    config["monitoring"]["mode"] = "operator"
    assert run_program(config).outputs["verification"]["operator"] is True


def test_the_scan_for_plain_secrets_can_fail(run: Run) -> None:
    inputs = dict(run.one("Deployment", "backend").inputs)
    inputs["planted"] = SECRETS["redis-password"]
    assert "canary" in json.dumps(masked(inputs))


def test_the_backend_gets_its_own_login_and_never_the_admin_url(run: Run) -> None:
    for name in ("backend", "jobs"):
        data = run.one("Secret", name).inputs["stringData"]
        assert data[SECRET_MARK]
        url = data["value"]["DATABASE_URL"]
        url = url["value"] if isinstance(url, dict) else url
        assert "canary-admin" not in url
        assert url.startswith("postgresql://orka_")


def test_the_frontend_reads_no_secret(run: Run) -> None:
    container = run.one("Deployment", "frontend").inputs["spec"]["template"]["spec"]["containers"][0]
    assert "envFrom" not in container
    assert "env" not in container


def test_without_monitoring_nothing_of_it_is_registered() -> None:
    config = complete()
    marks = (*PORTS, BACKEND_PODS, MONITOR)

    def found() -> set[str]:
        names = {resource.name for resource in run_program(config).resources}
        return {mark for mark in marks if any(name.startswith(mark) for name in names)}

    assert found() == set(marks)
    config["monitoring"]["mode"] = "none"
    assert found() == set()


def test_with_the_checker_the_gate_asks_it_and_waits_for_it() -> None:
    config = complete()
    config["verification"] |= {"checker": True, "profile": "application"}
    run = run_program(config)
    checker, gate = run.one("Deployment", "checker"), run.one("Job", "verification")
    assert _waits_for(run, gate, checker)
    container = checker.inputs["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == ["checker"]
    assert container["envFrom"] == [{"secretRef": {"name": "checker-auto"}}]
    checks = json.loads(run.one("ConfigMap", "verification").inputs["data"]["checks.json"])
    assert {check["name"]: check["url"] for check in checks["health"]} == {
        "backend": "http://backend/health",
        "database": "http://checker/health/db",
        "redis": "http://checker/health/redis",
        "openai": "http://checker/health/openai",
        "frontend": "http://frontend/",
    }


def test_the_checker_holds_what_its_three_questions_need_and_no_other_secret() -> None:
    config = complete()
    config["verification"]["checker"] = True
    run = run_program(config)
    own, backend = (run.one("Secret", name).inputs["stringData"]["value"] for name in ("checker", "backend"))
    assert own.keys() == {"DATABASE_URL", "REDIS_PASSWORD", "OPENAI_API_KEY"}
    assert own == {name: backend[name] for name in own}
    container = run.one("Deployment", "checker").inputs["spec"]["template"]["spec"]["containers"][0]
    assert {*own, *(variable["name"] for variable in container["env"])} >= set(REQUIRED)
    gate = run.one("Job", "verification").inputs["spec"]["template"]["metadata"]["annotations"]
    assert gate["orka-ppm/name.checker"] == "checker-auto", "a new key is judged too"
    assert [secret.name for secret in run_program().of("Secret") if secret.name == "checker"] == []


def test_without_the_checker_the_gate_asks_no_address_that_the_application_lacks() -> None:
    config = complete()
    config["verification"]["profile"] = "application"
    run = run_program(config)
    checks = json.loads(run.one("ConfigMap", "verification").inputs["data"]["checks.json"])
    assert [check["name"] for check in checks["health"]] == ["backend", "frontend"]
    assert not [resource for resource in run.resources if resource.name == "checker"]


def _rotated(rotation: int, **settings: bool) -> Run:
    config = complete()
    config["database"] = {**config["database"], "rotation": rotation, **settings}
    return run_program(config)


def _logins(run: Run) -> set[str]:
    return {role.inputs["name"] for role in run.of("Role") if role.type.startswith("postgresql:")}


def test_a_rotation_makes_new_roles_and_keeps_those_before_until_the_next_one() -> None:
    for rotation, kept in ((1, {1}), (2, {1, 2}), (3, {2, 3})):
        names = _logins(_rotated(rotation))
        groups = ("app", "jobs", "readonly", "monitor")
        assert names == {f"orka_{group}_{one}" for group in groups for one in kept}
    dropped = _rotated(2, **{"keep-previous-roles": False})
    assert _logins(dropped) == {
        "orka_app_2",
        "orka_monitor_2",
        "orka_jobs_2",
        "orka_readonly_2",
    }


def test_a_registry_with_a_user_gives_every_pod_a_pull_secret() -> None:
    config = complete()
    config["registry"]["username"] = "robot"
    run = run_program(config, {**SECRETS, "registry-password": "canary-registry"})
    secret = run.one("Secret", "registry")
    assert secret.inputs["stringData"][SECRET_MARK]
    pods = [r.inputs["spec"]["template"]["spec"] for r in [*run.of("Deployment"), *run.of("Job")]]
    pods += [r.inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"] for r in run.of("CronJob")]
    assert all(pod["imagePullSecrets"] == [{"name": "registry-auto"}] for pod in pods)


def test_an_image_with_a_build_context_is_built_and_handed_on_by_digest() -> None:
    config = complete()
    config["images"]["ops"] = {
        "repository": "registry.example.com/orka-ops",
        "build": {"context": ".", "dockerfile": "ops/Dockerfile", "base-image": "base@sha256:1"},
    }
    run = run_program(config)
    image = run.one("Image", "ops")
    assert image.inputs["buildOnPreview"] is False
    assert re.fullmatch(r"registry\.example\.com/orka-ops:[0-9a-f]{16}", image.inputs["imageName"])
    assert image.inputs["build"]["args"] == {"BASE_IMAGE": "base@sha256:1"}
    job = run.one("Job", "migration").inputs["spec"]["template"]["spec"]["containers"][0]
    assert job["image"] == run.outputs["images"]["ops"]


def test_a_context_that_is_not_there_is_named_before_anything_is_registered() -> None:
    config = complete()
    config["images"]["ops"] = {"repository": "registry.example.com/orka-ops", "build": {"context": "nowhere"}}
    run = run_program(config)
    assert run.resources == []
    assert "images.ops.build.context: there is no nowhere in the program's folder" in str(run.error)
    assert "images.ops.build.dockerfile: there is no nowhere/Dockerfile" in str(run.error)


def test_the_release_id_follows_what_is_deployed_and_nothing_else(run: Run) -> None:
    assert run_program().outputs["release_id"] == run.outputs["release_id"]
    config = complete()
    config["cluster"]["take-over"] = True
    assert run_program(config).outputs["release_id"] == run.outputs["release_id"]
    config = complete()
    config["backend"]["log-level"] = "DEBUG"
    assert run_program(config).outputs["release_id"] != run.outputs["release_id"]


def test_the_migration_waits_for_nothing_that_waits_for_it(run: Run) -> None:
    assert not _waits_for(run, run.one("Job", "migration"), run.one("Deployment", "backend"))


def test_after_a_rotation_the_pods_get_the_new_login_and_no_role_may_more_than_its_group() -> None:
    run = _rotated(2)
    for secret, user in (("backend", "orka_app_2"), ("jobs", "orka_jobs_2")):
        url = run.one("Secret", secret).inputs["stringData"]["value"]["DATABASE_URL"]
        assert url.startswith(f"postgresql://{user}:")
    for role in run.of("Role"):
        if not role.type.startswith("postgresql:"):
            continue
        group = role.inputs["name"].rpartition("_")[0]
        assert role.inputs["roles"] == ([] if group == "orka_monitor" else [group])
        assert not {"bypassRowLevelSecurity", "superuser", "createRole", "createDatabase"} & set(role.inputs)
    assert [kind for kind in ("Grant", "GrantRole", "DefaultPrivileges") if run.of(kind)] == []


def test_tables_made_by_hand_are_taken_over_only_where_the_settings_say_so(run: Run) -> None:
    def arguments(of: Run) -> list[str]:
        return of.one("Job", "migration").inputs["spec"]["template"]["spec"]["containers"][0]["args"]

    assert "--adopt" not in arguments(run)
    config = complete()
    config["database"]["adopt"] = True
    assert "--adopt" in arguments(run_program(config))


def test_the_runner_gives_up_on_a_lock_before_its_job_does() -> None:
    config = complete()
    config["migration"]["deadline-seconds"] = 90
    job = run_program(config).one("Job", "migration").inputs["spec"]
    arguments = job["template"]["spec"]["containers"][0]["args"]
    assert job["activeDeadlineSeconds"] == 90
    assert arguments[arguments.index("--lock-budget") + 1] == "45"


@pytest.mark.parametrize(("whole", "checks"), [(180, "120"), (600, "540"), (90, "45"), (1, "0.5")])
def test_the_checks_end_before_their_job_and_so_can_say_what_was_red(whole: int, checks: str) -> None:
    config = complete()
    config["verification"]["deadline-seconds"] = whole
    job = run_program(config).one("Job", "verification").inputs["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert job["activeDeadlineSeconds"] == whole
    parser = ArgumentParser()
    arguments.add_to(parser.add_subparsers())
    assert parser.parse_args(container["args"]).deadline == float(checks)
