"""`ops preview` against a kubectl that answers as told."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from ops import preview, stack_file
from ops.cli import main
from ops.cluster.kinds import OPERATORS, REGISTERED
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, complete, run_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl of shell: the test writes its body."""
    program = tmp_path / "kubectl"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv(stack_file.ELSEWHERE, raising=False)
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


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Makes the stack's file another one, with a part of the committed one replaced."""

    def write(before: str, after: str) -> None:
        text = (CHECKOUT / "Pulumi.staging.yaml").read_text()
        assert before in text
        file = tmp_path / "stack.yaml"
        file.write_text(text.replace(before, after))
        monkeypatch.setenv(stack_file.ELSEWHERE, str(file))

    return write


def test_an_operators_kinds_are_asked_for_where_there_is_one(elsewhere: Callable[[str, str], None]) -> None:
    for mode, wanted in (("standalone", REGISTERED), ("operator", REGISTERED + OPERATORS)):
        elsewhere("mode: standalone", f"mode: {mode}")
        assert preview.kinds(stack_file.read("staging")) == wanted


@pytest.mark.parametrize(
    ("written", "namespace"), [("namespace: audit", "audit"), ("take-over: false", "staging")]
)
def test_the_rights_are_those_in_the_stacks_own_namespace(
    kubectl: Path,
    elsewhere: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
    written: str,
    namespace: str,
) -> None:
    elsewhere("    namespace: staging\n", f"    {written}\n")
    refused = f'"can-i patch secrets --namespace {namespace}"'
    _answer(kubectl, f'case "$*" in *{refused}*) echo no; exit 1;; *) echo yes;; esac')
    assert main(["preview"]) == 0
    assert f"may not patch secrets in namespace {namespace}." in capsys.readouterr().out


@pytest.mark.parametrize("stack", ["typo", "somebody/orka-ppm/typo"])
def test_a_stack_without_a_file_is_a_wrong_use(
    kubectl: Path, capsys: pytest.CaptureFixture[str], stack: str
) -> None:
    _answer(kubectl, "echo yes")
    assert main(["preview", "--stack", stack]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"ops preview: {CHECKOUT / 'Pulumi.typo.yaml'}: No such file or directory\n"


def test_what_is_no_stack_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "stack.yaml"
    monkeypatch.setenv(stack_file.ELSEWHERE, str(file))
    for text in ("", "config: [", "config:", "encryptionsalt: v1"):
        file.write_text(text)
        with pytest.raises(stack_file.StackFileError, match=r"stack\.yaml: is no stack file with settings"):
            stack_file.read("staging")


def _answer(program: Path, body: str) -> None:
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_user_with_all_rights_is_told_that_the_server_validates(
    kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _answer(kubectl, "echo yes")
    assert main(["preview"]) == 0
    assert "server-validated: yes" in capsys.readouterr().out


def test_a_missing_right_is_named(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _answer(kubectl, 'case "$*" in *"can-i patch secrets"*) echo no; exit 1;; *) echo yes;; esac')
    assert main(["preview"]) == 0
    out = capsys.readouterr().out
    assert "server-validated: no" in out
    assert "patch secrets in namespace staging" in out
    assert "create secrets" not in out


def test_the_right_to_make_roles_is_a_right_too(kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _answer(kubectl, 'case "$*" in *"can-i create roles."*) echo no; exit 1;; *) echo yes;; esac')
    assert main(["preview"]) == 0
    assert "create roles.rbac.authorization.k8s.io in namespace staging" in capsys.readouterr().out


def test_an_unreachable_server_fails_and_stands_in_the_summary(
    kubectl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _answer(kubectl, 'echo "dial tcp 10.0.0.1:6443: connect: connection refused" >&2; exit 1')
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert main(["preview"]) == 3
    assert "connection refused" in summary.read_text()


def test_without_kubectl_nothing_is_validated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert main(["preview"]) == 3
    assert "kubectl is not on PATH" in capsys.readouterr().out
