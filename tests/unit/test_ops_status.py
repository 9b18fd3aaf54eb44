"""`ops status` and `ops logs` over a kubectl that answers from documents: what they show and how they end."""

from __future__ import annotations

import copy
import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ops import cli
from ops.checks.gate_job import MARK
from ops.cluster.kinds import IN_A_NAMESPACE, OPERATORS
from ops.status import live
from ops.status.ages import age
from tests.checks import documents as k8s

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]


OUTPUTS: dict[str, Any] = {
    "release_id": "abc123",
    "namespace": "staging",
    "images": k8s.IMAGES,
    "cron_jobs": k8s.SCHEDULES,
    "verification": {"gate": True, "deployments": {"backend": "backend", "frontend": "frontend"}},
}


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `ops ARGUMENTS` beside a healthy, verified namespace with these changes; code, output, errors."""
    k8s.write_kubectl(tmp_path)
    file = tmp_path / "outputs.json"
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def run(
        *arguments: str,
        changes: tuple[Callable[[k8s.Namespace], None], ...] = (),
        outputs: dict[str, Any] | None = OUTPUTS,
    ) -> tuple[int, str, str]:
        k8s.publish(tmp_path, _gate("Complete", age_s=600), *changes)
        file.write_text(json.dumps(outputs))
        has_file = arguments[0] == "status" and outputs is not None and "--outputs" not in arguments
        given = ("--outputs", str(file)) if has_file else ()
        code = cli.main([*arguments, *given])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def _gate(condition: str, age_s: float = 60) -> Callable[[k8s.Namespace], None]:
    def change(namespace: k8s.Namespace) -> None:
        namespace["items"].append(
            {
                "kind": "Job",
                "metadata": {
                    "name": "verification-1",
                    "labels": {"app.kubernetes.io/name": "verification"},
                    "creationTimestamp": k8s.stamp(age_s),
                },
                "status": {
                    "conditions": [{"type": condition, "status": "True", "reason": "BackoffLimitExceeded"}]
                },
            }
        )

    return change


def _edited(namespace: k8s.Namespace) -> None:
    fields = {"f:spec": {"f:template": {"f:spec": {'k:{"name":"backend"}': {".": {}, "f:env": {}}}}}}
    managers = k8s.one(namespace, "Deployment", "backend")["metadata"]["managedFields"]
    managers.append({"manager": "kubectl-set", "operation": "Update", "fieldsV1": fields})
    managers.append({"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": fields})
    managers.append({"manager": "kubectl-scale", "subresource": "status", "fieldsV1": fields})


def _opened(namespace: k8s.Namespace) -> None:
    """What `kubectl patch networkpolicy default-deny --type=merge` leaves, of a rule that nobody wrote."""
    ours = {"f:spec": {"f:podSelector": {}, "f:policyTypes": {}}}
    managers = [
        {"manager": "pulumi-kubernetes-1a2b3c4d", "operation": "Apply", "fieldsV1": ours},
        {"manager": "kubectl-patch", "operation": "Update", "fieldsV1": {"f:spec": {"f:ingress": {}}}},
    ]
    metadata = {"name": "default-deny", "managedFields": managers}
    namespace["items"].append({"kind": "NetworkPolicy", "metadata": metadata})


def test_a_healthy_namespace_is_one_screen_and_code_0(ops: Run) -> None:
    code, out, _ = ops("status", changes=(_gate("Complete"),))
    assert code == 0
    assert "release      abc123" in out
    assert "last checks  succeeded" in out
    assert "backend    2/2     0          sha256:bbbbbbbbbbbb   2h" in out
    assert out.rstrip().endswith("all as it should be")
    assert len(out.splitlines()) <= 24


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (k8s.crash_loop, "backend: pod backend-7d4b9c-0 does not run: CrashLoopBackOff"),
        (k8s.stale_pod, "backend runs another image than the release"),
        (lambda n: k8s.without(n, "Pod", "frontend-"), "frontend has 0 ready pods, expected 1"),
        (k8s.suspended, "anomaly-detection-job is suspended"),
        (k8s.failed_run, "the last run of embedding-generation-job failed: BackoffLimitExceeded"),
        (_gate("Failed"), "the last verification failed: BackoffLimitExceeded"),
        (lambda n: k8s.without(n, "Deployment", "backend"), "there is no Deployment backend"),
        (lambda n: k8s.without(n, "CronJob", "model-training"), "there is no cron job model-training-job"),
        (
            lambda n: k8s.without(n, "Job", "verification-1"),
            "there is no verification of this release: run `pulumi up`, which ends with it",
        ),
        (_opened, "drift: networkpolicy/default-deny: kubectl-patch set spec.ingress"),
        (_edited, 'drift: deployment/backend: kubectl-set set spec.template.spec[{"name":"backend"}].env'),
    ],
)
def test_what_is_not_as_it_should_be_is_named_alone_and_the_code_is_1(
    ops: Run, change: Callable[[k8s.Namespace], None], fault: str
) -> None:
    code, out, _ = ops("status", changes=(change,))
    assert code == 1
    assert [line for line in out.splitlines() if line.startswith("! ")] == [f"! {fault}"]
    assert out.endswith("\n1 fault\n")
    code, out, _ = ops("status", "--json", changes=(change,))
    assert json.loads(out)["faults"] == [fault]
    assert code == 1


def test_drift_is_looked_for_in_every_kind_of_the_stack_but_secrets() -> None:
    assert set(IN_A_NAMESPACE) - set(live.KINDS) == {"secrets"}


def test_what_one_may_not_list_is_named_and_the_rest_is_seen(ops: Run) -> None:
    def viewer(namespace: k8s.Namespace) -> None:
        namespace["forbidden"] = ["rolebindings", "roles"]

    code, out, err = ops("status", changes=(viewer, _opened))
    assert code == 1
    assert "! drift: networkpolicy/default-deny" in out
    rbac = ", ".join(f"{kind}.rbac.authorization.k8s.io" for kind in ("roles", "rolebindings"))
    assert err == f"ops status: cannot list {rbac}: drift in these is not seen\n"
    stranger = (lambda namespace: namespace.update(forbidden=["deployments", "roles"]),)
    code, out, err = ops("status", changes=stranger)
    assert (code, out) == (3, "")
    assert "cannot list resource" in err


def test_a_pod_that_was_evicted_is_no_fault_of_the_release_after_it(ops: Run) -> None:
    code, out, _ = ops("status", changes=(k8s.evicted,))
    assert (code, "backend    2/2" in out) == (0, True)


OPERATED = {**OUTPUTS, "verification": {**OUTPUTS["verification"], "operator": True}}


def _silenced(namespace: k8s.Namespace) -> None:
    """What `kubectl patch prometheusrule orka-ppm` leaves."""
    managers = [
        {"manager": "pulumi-kubernetes", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
        {"manager": "kubectl-patch", "operation": "Update", "fieldsV1": {"f:spec": {"f:groups": {}}}},
    ]
    metadata = {"name": "orka-ppm", "managedFields": managers}
    namespace["items"].append({"kind": "PrometheusRule", "metadata": metadata})


def test_drift_of_what_an_operator_reads_is_seen_where_the_stack_has_one(ops: Run) -> None:
    code, out, err = ops("status", changes=(_silenced,), outputs=OPERATED)
    assert (code, err) == (1, "")
    assert "! drift: prometheusrule/orka-ppm: kubectl-patch set spec.groups" in out
    none = [kind.partition(".")[0] for kind in OPERATORS]
    knows_none = (lambda namespace: namespace.update(unknown=none),)
    assert ops("status", changes=knows_none)[0::2] == (0, ""), "it is not asked for elsewhere"
    code, _, err = ops("status", changes=knows_none, outputs=OPERATED)
    assert code == 0
    assert all(kind in err for kind in OPERATORS)


def test_the_json_says_what_the_screen_says(ops: Run) -> None:
    code, out, _ = ops("status", "--json", changes=(_gate("Complete"),))
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found["schema_version"] == 1
    assert found["release_id"] == "abc123"
    assert {service["name"]: service["ready"] for service in found["services"]} == k8s.REPLICAS
    assert [job["name"] for job in found["jobs"]] == sorted(k8s.SCHEDULES)
    assert (found["checks"], found["faults"], found["drift"]) == ("succeeded", [], [])


def test_the_jobs_are_the_guides_table(ops: Run) -> None:
    code, out, _ = ops("status", "jobs")
    assert code == 0
    head, *rows = out.splitlines()
    assert head.split("   ")[0] == "NAME"
    assert [cell.strip() for cell in head.split("   ") if cell.strip()] == [
        "NAME", "SCHEDULE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE", "LAST RUN",
    ]  # fmt: skip
    assert rows[0].split() == [
        "anomaly-detection-job",
        *["0", "*", "*", "*", "*"],
        "False",
        "0",
        "5m",
        "2h",
        "succeeded",
    ]
    assert len(rows) == 4


def test_a_run_under_way_does_not_hide_that_the_one_before_it_failed(ops: Run) -> None:
    name = "embedding-generation-job"

    def runs(namespace: k8s.Namespace) -> None:
        k8s.next_run({"active": 1})(namespace)
        k8s.one(namespace, "CronJob", name)["status"]["active"] = [{"name": f"{name}-29482"}]

    def began_first(namespace: k8s.Namespace) -> None:
        k8s.one(namespace, "Job", f"{name}-")["status"] = {"active": 1}

    failed = f"the last run of {name} failed: BackoffLimitExceeded"
    for command in (("status",), ("status", "jobs")):
        code, out, _ = ops(*command, changes=(runs, k8s.failed_run))
        assert (code, failed in out) == (1, True), out
        assert ops(*command, changes=(runs,))[0] == 0
    assert " running" not in ops("status", "jobs", changes=(runs,))[1]
    assert " running" in ops("status", "jobs", changes=(began_first,))[1]


def _emptied(namespace: k8s.Namespace) -> None:
    namespace["items"].clear()


def test_an_empty_namespace_is_a_fault_for_all_that_should_be_there(ops: Run) -> None:
    code, out, _ = ops("status", changes=(_emptied,))
    assert code == 1
    assert out.endswith(f"\n{2 + len(k8s.IMAGES) + len(k8s.SCHEDULES)} faults\n")
    assert [line for line in out.splitlines() if line.startswith("! ")] == [
        "! there is no Deployment at all: is it the right --context and --namespace?",
        *(f"! there is no Deployment {name}" for name in k8s.IMAGES),
        *(f"! there is no cron job {name}" for name in k8s.SCHEDULES),
        "! there is no verification of this release: run `pulumi up`, which ends with it",
    ]
    code, out, _ = ops("status", "jobs", changes=(_emptied,))
    assert code == 1
    assert out.splitlines()[1:] == [f"! there is no cron job {name}" for name in k8s.SCHEDULES]
    assert ops("status", changes=(_emptied,), outputs={})[0] == 1, "nor without the stack's outputs"


@pytest.mark.parametrize("text", [None, "{", "[]", b"\xff", '{"verification": {"gate": 3.5}}'])
def test_a_file_of_outputs_that_cannot_be_read_is_a_wrong_use(
    ops: Run, tmp_path: Path, text: str | bytes | None
) -> None:
    assert ops("status")[0] == 0, "the cluster is well"
    file = tmp_path / "typo.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, out, err = ops("status", "--outputs", str(file))
    assert (code, out) == (2, "")
    assert err.startswith(f"ops status: {file}: ")


def test_where_pulumi_gives_no_outputs_what_runs_is_shown_all_the_same(ops: Run, tmp_path: Path) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\necho 'error: no stack named staging found' >&2\nexit 1\n")
    pulumi.chmod(0o755)
    code, out, err = ops("status", outputs=None)
    assert code == 0
    assert "backend    2/2" in out
    assert err.startswith("ops status: without the stack's outputs: ")
    assert "no stack named staging found" in err


def test_a_stack_older_than_the_output_that_tells_of_a_gate_may_have_none(ops: Run) -> None:
    older = {name: value for name, value in OUTPUTS.items() if name != "verification"}
    no_gate = (lambda n: k8s.without(n, "Job", "verification-1"),)
    assert ops("status", changes=no_gate, outputs=older)[0] == 0
    gone = (*no_gate, lambda n: k8s.without(n, "Deployment", "frontend"))
    assert "! there is no Deployment frontend" in ops("status", changes=gone, outputs=older)[1]


def test_a_job_that_the_settings_suspend_has_to_rest(ops: Run) -> None:
    told = {**OUTPUTS["verification"], "suspended_cron_jobs": ["anomaly-detection-job"]}
    resting = {**OUTPUTS, "verification": told}
    for command in (("status",), ("status", "jobs")):
        assert ops(*command, changes=(k8s.suspended,), outputs=resting)[0] == 0
        code, out, _ = ops(*command, outputs=resting)
        assert code == 1
        assert "! anomaly-detection-job is not suspended, though the settings say so" in out


def test_an_image_that_two_deployments_share_is_compared_for_both(ops: Run) -> None:
    deployments = {**OUTPUTS["verification"]["deployments"], "frontend": "backend"}
    shared = {**OUTPUTS, "verification": {**OUTPUTS["verification"], "deployments": deployments}}
    code, out, _ = ops("status", outputs=shared)
    assert code == 1
    assert "! frontend runs another image than the release" in out


def test_a_suspended_job_in_the_table_is_code_1(ops: Run) -> None:
    code, out, _ = ops("status", "jobs", "--json", changes=(k8s.suspended,))
    assert code == 1
    assert [job["suspended"] for job in json.loads(out)["jobs"]].count(True) == 1


def test_a_cluster_that_does_not_answer_is_code_3_with_kubectls_words(ops: Run) -> None:
    refuses = (lambda namespace: namespace.update(refuses="connection refused"),)
    for command in (("status",), ("status", "jobs"), ("logs", "backend"), ("logs", "job", "model-training")):
        code, out, err = ops(*command, changes=refuses)
        assert (code, out) == (3, "")
        assert "connection refused" in err


def test_the_logs_of_a_service_are_shown_without_secrets(ops: Run) -> None:
    leak = (lambda namespace: namespace["logs"].update(backend="INFO ready\nINFO password=hunter2\n"),)
    code, out, _ = ops("logs", "backend", changes=leak)
    prefix = "[pod/backend/main] "
    assert (code, out) == (0, f"{prefix}INFO ready\n{prefix}INFO password=***\n")


def test_a_pod_that_waits_to_start_is_named_beside_the_others_logs(ops: Run) -> None:
    code, out, err = ops("logs", "backend", changes=(k8s.unlogged(k8s.WAITS),))
    assert (code, out) == (0, f"[pod/backend/main] {k8s.LOGS['backend']}")
    assert err == f"ops logs: {k8s.WAITS}\n"
    silent = (lambda namespace: namespace["logs"].update(backend=""),)
    code, out, err = ops("logs", "backend", changes=(k8s.unlogged(k8s.WAITS), *silent))
    assert (code, out, err) == (3, "", f"ops logs: {k8s.WAITS}\n")


def test_the_logs_of_a_job_are_those_of_its_last_run(ops: Run) -> None:
    def two_runs(namespace: k8s.Namespace) -> None:
        newer = k8s.one(k8s.healthy(), "Job", "model-training-job-")
        newer["metadata"] |= {"name": "model-training-job-29999", "creationTimestamp": k8s.stamp(1)}
        namespace["items"].append(newer)
        namespace["logs"] |= {
            "model-training-job-29999": "the last\n",
            "model-training-job-29481": "before\n",
        }

    for name in ("model-training", "model-training-job"):
        assert ops("logs", "job", name, changes=(two_runs,))[:2] == (
            0,
            "[pod/model-training-job-29999/main] the last\n",
        )


def test_the_gates_own_log_is_found_by_its_names_and_is_whole(ops: Run) -> None:
    rows = "".join(f"row {number}\n" for number in range(200))

    def gate(namespace: k8s.Namespace) -> None:
        _gate("Complete")(namespace)
        namespace["logs"]["verification-1"] = rows

    for name in ("verification", "verify"):
        code, out, _ = ops("logs", "job", name, changes=(gate,))
        assert (code, out.replace("[pod/verification-1/main] ", "")) == (0, rows)
    assert len(ops("logs", "job", "verify", "--tail=3", changes=(gate,))[1].splitlines()) == 3


def test_a_services_log_is_its_last_lines(ops: Run) -> None:
    long = (lambda namespace: namespace["logs"].update(backend="INFO\n" * 200),)
    assert len(ops("logs", "backend", changes=long)[1].splitlines()) == 50


def test_a_job_of_somebodys_shell_is_not_the_gate(ops: Run) -> None:
    def shells(namespace: k8s.Namespace) -> None:
        _gate("Complete")(namespace)
        namespace["logs"]["verification-1"] = "PASSED\n"
        job = copy.deepcopy(namespace["items"][-1])
        job["metadata"] |= {
            "name": "checks-of-the-shell-x",
            "annotations": {MARK: "true"},
            "creationTimestamp": k8s.stamp(1),
        }
        job["status"]["conditions"][0]["type"] = "Failed"
        namespace["items"].append(job)

    code, out, _ = ops("status", changes=(shells,))
    assert "last checks  succeeded" in out
    assert code == 0
    assert ops("logs", "job", "verify", changes=(shells,))[:2] == (0, "[pod/verification-1/main] PASSED\n")


def test_a_job_that_never_ran_is_code_4_and_a_wrong_use_is_code_2(ops: Run) -> None:
    code, _, err = ops("logs", "job", "migration")
    assert code == 4
    assert "migration has no run in staging" in err
    assert ops("logs", "job")[0] == 2
    assert ops("logs", "backend", "--tail=0")[0] == 2
    assert ops("logs", "backend", "name")[0] == 2


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (172_800, "2d")],
)
def test_ages_are_short(seconds: int, shown: str) -> None:
    now = datetime(2026, 1, 16, tzinfo=UTC)
    assert age(now - timedelta(seconds=seconds), now) == shown
    assert age(None, now) == "-"
