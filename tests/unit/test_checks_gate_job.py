"""What the shell cannot ask is asked by a Job made from the gate's: awaited, read, deleted, merged."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from model.check_surroundings import NotHere, RowCheck
from ops import cli
from ops.checks import gate_job, in_cluster, runner
from ops.checks.gate_job import NoGateJobError
from ops.checks.result import CheckResult, RunResult, Verdict
from ops.cluster import kubectl
from tests.unit.rendered import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

NO_ADDRESS = "ORKA_CHECK_DATABASE_URL is not set"


def _gate(name: str = "verification-1", at: str = "2026-01-16T02:00:00Z") -> dict[str, Any]:
    """The gate's Job as the cluster gives it, with the labels that its controller added."""
    job: dict[str, Any] = yaml.safe_load((GOLDEN / "job-verification.yaml").read_text())
    job["metadata"] |= {"name": name, "creationTimestamp": at, "uid": "u"}
    job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    job["spec"]["template"]["metadata"]["labels"] |= {
        "batch.kubernetes.io/controller-uid": "u", "controller-uid": "u", "job-name": name,
    }  # fmt: skip
    return job


def _check(name: str, verdict: Verdict = "passed", kind: str = "database") -> CheckResult:
    return CheckResult.model_validate(
        {
            "name": name, "kind": kind, "verdict": verdict, "latency_ms": 1, "url": "database",
            "reason": None if verdict == "passed" else "wrong", "attempts": 1,
        }
    )  # fmt: skip


def _result(*checks: CheckResult, not_run: tuple[NotHere, ...] = (), release: str = "r") -> RunResult:
    return RunResult(
        release_id=release, verdict="passed", started_at="2026-01-16T02:00:00Z", duration_ms=1,
        checks=checks, not_run=not_run,
    )  # fmt: skip


HERE = _result(
    _check("create-event", kind="functional"),
    not_run=(
        NotHere(name="event-row", kind="database", reason=NO_ADDRESS),
        NotHere(name="dns-api", kind="dns", reason="led elsewhere"),
    ),
)


def _there(verdict: Verdict = "passed", release: str = "r") -> RunResult:
    """The Job's result: a call that failed there, the row, one that only the gate knows, and an effect."""
    return _result(
        _check("create-event", "failed", kind="functional"),
        _check("event-row", verdict),
        _check("row-of-the-gate"),
        _check("effect-of-model-training", "failed"),
        release=release,
    )


def test_the_job_runs_the_gates_pod_and_nothing_of_what_the_cluster_added() -> None:
    given = _gate()
    made = gate_job.made_from(given)
    pod, its = made["spec"]["template"], given["spec"]["template"]
    assert pod["spec"]["containers"][0]["args"] == [
        *its["spec"]["containers"][0]["args"], "--json", "--only", "functional",
        "--only", "database", "--only", "catalog",
    ]  # fmt: skip
    same = {key: value for key, value in its["spec"].items() if key != "containers"}
    assert {key: value for key, value in pod["spec"].items() if key != "containers"} == same
    assert pod["metadata"]["labels"] == {
        "app.kubernetes.io/name": "verification", "app.kubernetes.io/part-of": "orka-ppm",
    }  # fmt: skip
    assert {"name", "uid"}.isdisjoint(made["metadata"])
    assert "selector" not in made["spec"]
    assert made["metadata"]["generateName"]
    assert (made["spec"]["backoffLimit"], made["spec"]["activeDeadlineSeconds"]) == (0, 180)
    assert "--json" not in its["spec"]["containers"][0]["args"], "the gate's own document was changed"


def test_the_newest_job_of_the_gate_is_taken_and_none_that_the_shell_made() -> None:
    mine = {**gate_job.made_from(_gate())}
    mine["metadata"] |= {"name": "checks-of-the-shell-x", "creationTimestamp": "2026-01-18T00:00:00Z"}
    other = _gate("migration-1", "2026-01-19T00:00:00Z")
    other["metadata"]["labels"] = {"app.kubernetes.io/name": "migration"}
    found = gate_job.gate([_gate(), _gate("verification-2", "2026-01-17T00:00:00Z"), mine, other])
    assert found["metadata"]["name"] == "verification-2"
    with pytest.raises(NoGateJobError, match=r"there is no Job of the gate: set verification\.enabled"):
        gate_job.gate([mine, other])


@pytest.mark.parametrize(
    ("log", "told"),
    [("", "it is empty"), ("database passed\nTraceback: x", "Traceback: x"), ("{\n}", "holds no result")],
)
def test_a_log_without_a_result_is_told_by_its_last_line(log: str, told: str) -> None:
    with pytest.raises(NoGateJobError, match=told):
        gate_job.result_in(log)


def test_the_result_is_found_behind_the_progress() -> None:
    log = "backend  health  passed\n" + _there().model_dump_json(indent=2) + "\n"
    assert gate_job.result_in(log) == _there()


def test_what_was_asked_there_is_added_and_what_was_asked_here_stays() -> None:
    both = gate_job.merged(HERE, _there())
    assert {check.name: check.verdict for check in both.checks} == {
        "create-event": "passed", "event-row": "passed", "row-of-the-gate": "passed",
    }  # fmt: skip
    assert [entry.name for entry in both.not_run] == ["dns-api"]
    assert both.verdict == "passed"
    assert both.checks[1].url == "database, in the cluster"


@pytest.mark.parametrize("verdict", ["failed", "errored", "inconclusive"])
def test_a_check_that_is_red_there_turns_the_whole_run(verdict: Verdict) -> None:
    assert gate_job.merged(HERE, _there(verdict)).verdict == verdict


def test_only_rows_that_could_not_be_read_here_ask_for_a_job() -> None:
    assert gate_job.missing(HERE.not_run)
    assert not gate_job.missing(HERE.not_run[1:])


ROWS = (RowCheck(name="event-row", query="SELECT 1", expect={}),)


class _Cluster:
    """A kubectl that knows one Job; `after` is how often it is asked before the Job has ended.

    `refused` are those times, counted down, at which there is no answer.
    """

    def __init__(self, log: str, after: int = 1, refused: Container[int] = ()) -> None:
        self.log, self.after, self.refused = log, after, refused
        self.words: list[str] = []
        self.created: dict[str, Any] = {}

    def run(self, arguments: list[str], *, stdin: str | None = None, **_: Any) -> str:
        self.words.append(arguments[0])
        if arguments[0] == "create":
            self.created = json.loads(stdin or "")
            return "checks-of-the-shell-x"
        if arguments[0] == "logs":
            return self.log
        if arguments[0] == "delete":
            raise kubectl.KubectlError("kubectl delete failed: forbidden")
        if "jobs" in arguments:
            return json.dumps({"items": [_gate()]})
        self.after -= 1
        if self.after in self.refused:
            raise kubectl.KubectlError("kubectl get failed: connection refused")
        conditions = [] if self.after > 0 else [{"type": "Failed", "status": "True"}]
        return json.dumps({"status": {"conditions": conditions}})


def _asked(monkeypatch: pytest.MonkeyPatch, cluster: _Cluster, seconds: float = 10) -> RunResult:
    monkeypatch.setattr(kubectl, "run", cluster.run)
    monkeypatch.setattr(in_cluster, "PAUSE_S", 0)
    return in_cluster.asked_there(HERE, "staging", None, seconds, rows=ROWS)


def test_the_job_is_made_awaited_read_and_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _Cluster(_there("failed").model_dump_json(indent=2), after=3)
    assert _asked(monkeypatch, cluster).verdict == "failed"
    assert cluster.created == gate_job.made_from(_gate())
    assert cluster.words == ["get", "create", "get", "get", "get", "logs", "delete"]


def test_a_look_that_is_refused_once_ends_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _Cluster(_there().model_dump_json(indent=2), after=3, refused=(1,))
    found = _asked(monkeypatch, cluster)
    assert (found.verdict, found.checks[-1].url) == ("passed", "database, in the cluster")
    assert cluster.words == ["get", "create", "get", "get", "get", "logs", "delete"]


def test_whoever_is_interrupted_leaves_no_job_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = _Cluster("", after=1_000_000)
    monkeypatch.setattr(in_cluster, "time", SimpleNamespace(monotonic=time.monotonic, sleep=_interrupted))
    with pytest.raises(KeyboardInterrupt):
        _asked(monkeypatch, cluster)
    assert cluster.words == ["get", "create", "get", "delete"]


@pytest.mark.parametrize(
    ("cluster", "told"),
    [
        (_Cluster("", after=1_000_000, refused=range(1_000_000)), "kubectl get failed: connection refused"),
        (_Cluster("", after=1_000_000), "did not end in time; it was deleted"),
        (_Cluster("Traceback: x"), "holds no result: Traceback: x"),
        (_Cluster(_there(release="old").model_dump_json(indent=2)), "of release old, not r"),
    ],
)
def test_a_job_without_a_result_is_an_error_of_the_rows_and_is_deleted(
    monkeypatch: pytest.MonkeyPatch, cluster: _Cluster, told: str
) -> None:
    found = _asked(monkeypatch, cluster, seconds=0.2)
    row = found.checks[-1]
    assert (row.name, row.verdict, row.critical, row.url) == (
        "event-row", "errored", True, "database, in the cluster",
    )  # fmt: skip
    reason = row.reason or ""
    assert reason.startswith(f"{NO_ADDRESS}; in the cluster: ")
    assert told in reason
    assert reason.endswith("; without it: --no-job")
    assert found.checks[:-1] == HERE.checks
    assert [entry.name for entry in found.not_run] == ["dns-api"]
    assert found.verdict == "errored"
    assert cluster.words[-1] == "delete"


def _interrupted(_: float) -> None:
    raise KeyboardInterrupt


def _refused(_: list[str], **__: Any) -> str:
    raise kubectl.KubectlError("kubectl get failed: forbidden")


def test_who_may_not_make_a_job_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "run", _refused)
    found = in_cluster.asked_there(HERE, "staging", None, 1, rows=ROWS)
    assert "in the cluster: kubectl get failed: forbidden" in str(found.checks[-1].reason)
    assert found.verdict == "errored"


def test_an_error_of_rows_that_do_not_count_degrades(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "run", _refused)
    rows = [row.model_copy(update={"critical": False}) for row in ROWS]
    found = in_cluster.asked_there(HERE, "staging", None, 1, rows=rows)
    assert (found.verdict, found.degraded) == ("passed", ("event-row",))


def test_without_a_gate_the_rows_stay_not_run_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubectl, "run", lambda *_, **__: json.dumps({"items": []}))
    found = in_cluster.asked_there(HERE, "staging", None, 1, rows=ROWS)
    assert found.not_run[0].reason.startswith(f"{NO_ADDRESS}; in the cluster: there is no Job of the gate")
    assert (found.checks, found.verdict) == (HERE.checks, "passed")


def _through_the_command_line(
    monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str
) -> list[dict[str, Any]]:
    """Run `ops checks` of a stack whose rows cannot be read here; what a Job was asked with."""
    outputs = {"release_id": "r", "api_url": "http://api/", "frontend_url": "http://web/"}
    (folder / "outputs.json").write_text(json.dumps(outputs))
    asked: list[dict[str, Any]] = []

    def asked_there(here: RunResult, *_: object, **how: Any) -> RunResult:
        asked.append(how)
        return here

    monkeypatch.setenv("ORKA_TOKEN", "a-token")
    monkeypatch.delenv("ORKA_CHECK_DATABASE_URL", raising=False)
    monkeypatch.setattr(runner, "run", lambda *_, **__: HERE)
    monkeypatch.setattr(in_cluster, "asked_there", asked_there)
    assert cli.main(["checks", "--outputs", str(folder / "outputs.json"), *arguments]) == 0
    return asked


def test_rows_that_were_left_out_are_asked_by_no_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = _through_the_command_line(monkeypatch, tmp_path)
    assert {row.name for row in asked[0]["rows"]} == {"event-row", "embeddings-current"}
    assert _through_the_command_line(monkeypatch, tmp_path, "--without", "database") == []
    assert _through_the_command_line(monkeypatch, tmp_path, "--no-job") == []


def test_the_baseline_that_was_given_is_that_of_the_job(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = _result(_check("event-row", "failed"))
    (tmp_path / "before.json").write_text(before.model_dump_json())
    asked = _through_the_command_line(monkeypatch, tmp_path, "--baseline", str(tmp_path / "before.json"))
    assert asked[0]["baseline"] == before


def test_the_baseline_holds_for_what_was_asked_there() -> None:
    before = _result(_check("event-row", "failed"))
    row = gate_job.merged(HERE, _there("failed"), before).checks[1]
    assert (row.verdict, row.before) == ("inconclusive", "failed")
    assert gate_job.merged(HERE, _there("failed"), before).verdict == "inconclusive"
    assert gate_job.errored(HERE, "away", {}, before).checks[-1].verdict == "inconclusive"
    assert gate_job.merged(HERE, _there("failed"), _result(_check("event-row"))).verdict == "failed"
