"""`ops.preview` against a kubectl that answers as told."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from ops import preview
from ops.cluster.kinds import OPERATORS, REGISTERED
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, complete, run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl of shell: the test writes its body."""
    program = tmp_path / "kubectl"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return program


PLURALS = {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}


def _registered(mode: str) -> set[str]:
    """The kinds of a program with everything switched on, as rights name them."""
    config = complete()
    config["monitoring"]["mode"] = mode
    config["logging"]["sink"] = "file"
    config["images"]["fluentd"] = {"repository": "docker.io/fluent/x", "digest": f"sha256:{'1' * 64}"}
    config["backend"]["autoscaling"] = {"max-replicas": 6}
    config["registry"]["username"] = "robot"
    config["verification"] |= {"checker": True, "announce": True, "run-jobs": ["embedding-generation"]}
    given = {
        "registry-password": "x",
        "fluentd-shared-key": "x",
        "slack-webhook-url": "https://hooks.slack.com/services/T0/B0/canary",
    }
    run = run_program(config, {**SECRETS, **given})
    assert run.error is None
    types = {resource.type for resource in run.resources if resource.type.startswith("kubernetes:")}
    return {_right(type_) for type_ in types}


def _right(type_: str) -> str:
    """`kubernetes:apps/v1:Deployment` as `deployments.apps`."""
    _, version, kind = type_.split(":")
    group = version.partition("/")[0]
    plural = PLURALS.get(kind, f"{kind.lower()}s")
    return plural if group == "core" else f"{plural}.{group}"


def test_every_kind_that_the_program_registers_is_asked_for_and_no_other() -> None:
    assert sorted(REGISTERED) == sorted(_registered("standalone"))
    assert sorted((*REGISTERED, *OPERATORS)) == sorted(_registered("operator"))


def test_an_operators_kinds_are_asked_for_where_there_is_one(tmp_path: Path) -> None:
    text = (CHECKOUT / "Pulumi.staging.yaml").read_text()
    file = tmp_path / "Pulumi.staging.yaml"
    for mode, wanted in (("standalone", REGISTERED), ("operator", REGISTERED + OPERATORS)):
        file.write_text(text.replace("mode: standalone", f"mode: {mode}"))
        assert preview.kinds(file) == wanted


def _answer(program: Path, body: str) -> None:
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_user_with_all_rights_is_told_that_the_server_validates(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _answer(kubectl, "echo yes")
    assert preview.main() == 0
    assert "server-validated: yes" in capsys.readouterr().out


def test_a_missing_right_is_named(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _answer(kubectl, 'case "$*" in *"can-i patch secrets"*) echo no; exit 1;; *) echo yes;; esac')
    assert preview.main() == 0
    out = capsys.readouterr().out
    assert "server-validated: no" in out
    assert "patch secrets in namespace staging" in out
    assert "create secrets" not in out


def test_the_right_to_make_roles_is_a_right_too(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _answer(kubectl, 'case "$*" in *"can-i create roles."*) echo no; exit 1;; *) echo yes;; esac')
    assert preview.main() == 0
    assert "create roles.rbac.authorization.k8s.io in namespace staging" in capsys.readouterr().out


def test_an_unreachable_server_fails_and_stands_in_the_summary(
    kubectl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(kubectl, 'echo "dial tcp 10.0.0.1:6443: connect: connection refused" >&2; exit 1')
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert preview.main() == 1
    assert "connection refused" in summary.read_text()
