"""`ops adopt` over the namespace that the guide's commands make by hand: what it says, and how it ends."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from ops import cli
from ops.adopt.cluster import KINDS
from ops.cluster.kinds import OPERATORS, REGISTERED
from tests.unit.adopt_namespace import by_hand, key, preview, write_kubectl
from tests.unit.harness import complete, run_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.harness import Run

    Adopt = Callable[..., tuple[int, str, str]]

WEBHOOK = (
    "Warning: would violate PodSecurity\n"
    'Error from server (BadRequest): admission webhook "validate.nginx" denied the request: host is taken'
)
FORBIDDEN = (
    'Error from server (Forbidden): services "backend" is forbidden: User "x" cannot patch resource "s"'
)
MADE_BY_THE_GUIDE = {
    "namespace/staging", "deployment/backend", "deployment/frontend", "service/backend", "service/frontend",
    "ingress/backend", "ingress/frontend", "cronjob/anomaly-detection-job",
    "cronjob/embedding-generation-job", "cronjob/model-training-job", "cronjob/scheduled-reports-job",
}  # fmt: skip


@pytest.fixture(scope="module")
def kept_selectors() -> Run:
    """The stack with the setting that `ops adopt` asks for."""
    config = complete()
    config["cluster"]["selector-labels"] = {name: {"app": name} for name in ("backend", "frontend")}
    return run_program(config)


@pytest.fixture
def adopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Adopt:
    """Run `ops adopt ARGUMENTS` on a preview and these live objects; code, output, errors."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def run(shown: Any, live: dict[str, Any], *arguments: str, **says: str) -> tuple[int, str, str]:
        write_kubectl(tmp_path, live, **says)
        file = tmp_path / "preview.json"
        file.write_text(shown if isinstance(shown, str) else json.dumps(shown))
        code = cli.main(["adopt", "--preview", str(file), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def _found(out: str, verdict: str) -> dict[str, Any]:
    return {one["key"]: one for one in json.loads(out)["objects"] if one["verdict"] == verdict}


def test_what_the_guide_made_is_taken_over_once_its_selectors_are_settings(
    adopt: Adopt, kept_selectors: Run
) -> None:
    code, out, _ = adopt(preview(kept_selectors), by_hand(), "--json")
    assert code == 0
    taken = _found(out, "take over")
    assert set(taken) == MADE_BY_THE_GUIDE
    fields = {change["field"] for change in taken["deployment/backend"]["changes"]}
    assert "spec.template.spec.containers[backend].image" in fields
    assert taken["deployment/backend"]["restarts"]
    assert not taken["cronjob/model-training-job"]["restarts"]
    by_person = taken["deployment/backend"]["kept"][0]
    assert by_person["manager"] == "kubectl-client-side-apply"
    assert "spec.template.spec.containers[backend].env[DEPLOYED_BY]" in by_person["fields"]
    assert not _found(out, "cannot")


def test_a_selector_that_nobody_can_change_is_named_with_the_setting_that_keeps_it(
    adopt: Adopt, run: Run
) -> None:
    code, out, _ = adopt(preview(run), by_hand())
    assert code == 1
    assert "CANNOT     deployment/backend\n  spec.selector: field is immutable\n" in out
    assert "pulumi config set --path 'orka-ppm:cluster.selector-labels.backend[\"app\"]' backend" in out
    assert out.rstrip().endswith("In the way: deployment/backend, deployment/frontend")


def test_a_selector_by_expressions_has_no_setting_and_that_is_said(adopt: Adopt, run: Run) -> None:
    live = by_hand()
    expressions = [{"key": "app", "operator": "In", "values": ["backend"]}]
    live["deployment/backend"]["spec"]["selector"] = {"matchExpressions": expressions}
    _, out, _ = adopt(preview(run), live, "--json")
    assert "no setting says matchExpressions" in _found(out, "cannot")["deployment/backend"]["remedy"]


def test_every_kind_that_the_program_registers_is_looked_for() -> None:
    looked_for = {kind.partition(".")[0] for kind in KINDS.split(",")}
    assert {kind.partition(".")[0] for kind in REGISTERED} - {"namespaces"} <= looked_for


def test_an_operators_objects_that_are_there_are_taken_over_and_not_called_new(adopt: Adopt) -> None:
    config = complete()
    config["monitoring"]["mode"] = "operator"
    config["cluster"]["selector-labels"] = {name: {"app": name} for name in ("backend", "frontend")}
    shown = preview(run_program(config))
    made = [step["newState"]["inputs"] for step in shown["steps"]]
    rules = [one for one in made if one.get("kind") == "PrometheusRule"]
    assert rules
    there = {key(one): {**one, "spec": {"groups": []}} for one in rules}
    code, out, _ = adopt(shown, by_hand() | there, "--json")
    assert code == 0
    taken = _found(out, "take over")
    assert all(taken[name]["changes"] for name in there)
    unknown = " ".join(kind.partition(".")[0] for kind in OPERATORS)
    code, out, _ = adopt(shown, by_hand(), "--json", unknown=unknown)
    assert code == 0
    assert there.keys() <= _found(out, "new").keys()


def test_what_no_up_touches_is_listed_and_what_a_controller_made_is_not(
    adopt: Adopt, kept_selectors: Run
) -> None:
    live = by_hand()
    owner = [{"kind": "CronJob", "name": "model-training-job"}]
    for kind, name, more in (
        ("Job", "model-training-job-1", {"ownerReferences": owner}),
        ("ConfigMap", "kube-root-ca.crt", {}),
        ("ServiceAccount", "default", {}),
    ):
        live[f"{kind.lower()}/{name}"] = {"kind": kind, "metadata": {"name": name, **more}}
    code, out, _ = adopt(preview(kept_selectors), live, "--json")
    assert code == 0
    left = _found(out, "left alone")
    assert set(left) == {
        "configmap/fluentd-config", "configmap/prometheus-config", "deployment/fluentd", "secret/backend-env",
    }  # fmt: skip
    assert "close every connection" in left["deployment/fluentd"]["cause"]
    assert left["secret/backend-env"]["cause"] == ""


def test_a_cron_job_beside_the_stacks_is_in_the_way_of_no_up_and_makes_the_checks_red(
    adopt: Adopt, kept_selectors: Run
) -> None:
    live = by_hand()
    live["cronjob/cleanup"] = {"kind": "CronJob", "metadata": {"name": "cleanup"}}
    code, out, _ = adopt(preview(kept_selectors), live)
    assert code == 0
    assert "LEFT ALONE cronjob/cleanup\n  `ops checks` will be red" in out
    assert "--without cron-jobs" in out
    assert "kubectl delete" not in out
    assert "In the way" not in out


def test_no_text_that_people_choose_is_ever_shown(adopt: Adopt, kept_selectors: Run) -> None:
    live = by_hand()
    container = live["deployment/backend"]["spec"]["template"]["spec"]["containers"][0]
    container["env"] += [{"name": "LOG_LEVEL", "value": "canary-env"}]
    container["command"] = ["run", "canary-command"]
    shown = preview(kept_selectors)
    secret = {"kind": "Secret", "metadata": {"name": "backend-env"}, "stringData": {"JWT_SECRET": "canary"}}
    shown["steps"].append(
        {"op": "create", "newState": {"type": "kubernetes:core/v1:Secret", "inputs": secret}}
    )
    for more in ((), ("--json",)):
        _, out, _ = adopt(shown, live, *more)
        assert "env[LOG_LEVEL]" in out
        assert "stringData.JWT_SECRET" in out
        assert "canary" not in out
        assert "made-up-jwt-secret-by-hand" not in out


def test_what_the_stack_has_already_is_neither_taken_over_nor_left_alone(
    adopt: Adopt, kept_selectors: Run
) -> None:
    owned = {name.replace("/", "_"): "same" for name in MADE_BY_THE_GUIDE}
    code, out, _ = adopt(preview(kept_selectors, **owned), by_hand(), "--json")
    assert code == 0
    assert not {one["key"] for one in json.loads(out)["objects"]} & MADE_BY_THE_GUIDE


def test_a_new_object_that_the_server_refuses_is_in_the_way(adopt: Adopt, kept_selectors: Run) -> None:
    live = by_hand()
    del live["ingress/backend"]
    code, out, _ = adopt(preview(kept_selectors), live, ingress_backend=WEBHOOK)
    assert code == 1
    assert 'CANNOT     ingress/backend\n  admission webhook "validate.nginx" denied the request' in out
    assert "would violate" not in out


def test_where_there_is_no_namespace_everything_is_new(adopt: Adopt, run: Run) -> None:
    code, out, _ = adopt(preview(run), {})
    assert code == 0
    made = sum(resource.type.startswith("kubernetes:") for resource in run.resources)
    assert f"0 cannot, 0 take over, 0 left alone, {made} new. There is nothing to take over" in out


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ({"get": "Unable to connect to the server: dial tcp: refused"}, "Unable to connect to the server"),
        ({"service_backend": FORBIDDEN}, "cannot patch resource"),
        ({"service_backend": "Error from server (ServiceUnavailable): try later"}, "try later"),
    ],
)
def test_no_answer_and_no_right_are_no_verdict(
    adopt: Adopt, kept_selectors: Run, says: dict[str, str], expected: str
) -> None:
    code, out, err = adopt(preview(kept_selectors), by_hand(), **says)
    assert (code, out) == (3, "")
    assert expected in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("no JSON", "it is not the JSON of `pulumi preview --json --show-sames`"),
        ({"steps": []}, "it names no Namespace"),
        ({"steps": [], "diagnostics": [{"severity": "error", "message": "a\n  b\n"}]}, "preview.json: a b"),
    ],
)
def test_a_preview_that_is_not_whole_is_refused_with_its_own_words(
    adopt: Adopt, shown: Any, expected: str
) -> None:
    code, _, err = adopt(shown, by_hand())
    assert code == 2
    assert expected in err


def test_every_object_made_by_hand_has_a_name_of_its_own() -> None:
    found = by_hand()
    assert len(found) == 15
    assert all(key(item) == name for name, item in found.items())
