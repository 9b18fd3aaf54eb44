"""The policy pack as the engine meets it: a process that is started, asked over gRPC, and let go of."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2

from policy.table import RULES
from tests.plugins import analyzer
from tests.unit.harness import Run, run_program
from twin.plugins.wire import UNKNOWN_STRING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi.runtime.proto import analyzer_pb2_grpc


@pytest.fixture(scope="module")
def pack() -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    with analyzer.analyzer() as started:
        yield started


@pytest.fixture(scope="module")
def registered() -> Run:
    return run_program()


def told(response: Any) -> dict[str, list[str]]:
    """By rule the messages, all of which have to be mandatory: an advice would open the door."""
    found: dict[str, list[str]] = {}
    for diagnostic in response.diagnostics:
        assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY, diagnostic
        found.setdefault(diagnostic.policyName, []).append(diagnostic.message)
    return found


def _backend(run: Run) -> tuple[str, dict[str, Any]]:
    resource = run.one("Deployment", "backend")
    return resource.type, copy.deepcopy(resource.inputs)


def test_the_pack_lists_every_rule_with_its_severity_and_remedy(pack: Any) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    assert info.name == "orka-ppm"
    assert [each.name for each in info.policies] == [rule.name for rule in RULES]
    for each, rule in zip(info.policies, RULES, strict=True):
        assert each.enforcementLevel == analyzer_pb2.MANDATORY, each.name
        severity = analyzer_pb2.PolicySeverity.Name(each.severity)
        assert severity == f"POLICY_SEVERITY_{rule.severity.upper()}"
        assert each.remediation_steps == rule.remedy


def test_the_whole_program_passes(pack: Any, registered: Run) -> None:
    questions = [analyzer.one(each.type, each.name, each.inputs) for each in registered.resources]
    assert len([each for each in questions if each.type.startswith("kubernetes:")]) > len(questions) / 2
    for question in questions:
        assert told(pack.Analyze(question)) == {}, question.urn
    assert told(pack.AnalyzeStack(analyzer.all_of(questions))) == {}


def test_a_violation_is_told_with_its_place_and_its_resource(pack: Any, registered: Run) -> None:
    kind, inputs = _backend(registered)
    inputs["spec"]["template"]["spec"]["hostNetwork"] = True
    question = analyzer.one(kind, "backend", inputs)
    response = pack.Analyze(question)
    message = (
        "Pods do not share the node's network, processes or memory.\n"
        "Deployment backend: spec.template.spec.hostNetwork: true; "
        "PodSecurity `restricted` refuses such a pod"
    )
    assert told(response) == {"no-host-namespaces": [message]}
    assert response.diagnostics[0].urn == question.urn


def test_a_fault_of_the_whole_stack_is_told_with_its_resource(pack: Any, registered: Run) -> None:
    questions = [
        analyzer.one(each.type, each.name, each.inputs)
        for each in registered.resources
        if each.name != "default-deny"
    ]
    response = pack.AnalyzeStack(analyzer.all_of(questions))
    assert list(told(response)) == ["default-deny"]
    assert response.diagnostics[0].urn.endswith("Namespace::namespace")


def test_what_a_preview_does_not_know_hides_nothing_that_it_knows(pack: Any, registered: Run) -> None:
    kind, inputs = _backend(registered)
    pod = inputs["spec"]["template"]["spec"]
    pod["containers"][0] |= {"image": UNKNOWN_STRING, "args": ["serve", UNKNOWN_STRING]}
    inputs["metadata"]["namespace"] = UNKNOWN_STRING
    assert told(pack.Analyze(analyzer.one(kind, "backend", inputs))) == {}
    pod["volumes"].append({"name": "node", "hostPath": {"path": "/"}})
    pod["containers"][0]["image"] = UNKNOWN_STRING
    assert list(told(pack.Analyze(analyzer.one(kind, "backend", inputs)))) == ["volume-types"]


def test_a_secret_is_never_in_a_message(pack: Any, registered: Run) -> None:
    secret = registered.one("Secret", "backend")
    inputs = {**secret.inputs, "immutable": False}
    assert "canary" in str(inputs)
    messages = str(told(pack.Analyze(analyzer.one(secret.type, "backend", inputs))))
    assert "immutable-values" in messages
    assert "canary" not in messages


def test_a_pack_that_fails_ends_the_call_with_its_words_and_its_code(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import sys; print(sys.argv[1]); sys.exit('no rules here')\n")
    with analyzer.language_host() as host:
        responses = list(analyzer.started(host, tmp_path, ""))
    assert b"".join(each.stdout for each in responses) == b"engine\n"
    assert b"".join(each.stderr for each in responses) == b"no rules here\n"
    assert responses[-1].exitcode == 1


def test_a_pack_ends_when_the_engine_lets_go_of_it(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    (tmp_path / "__main__.py").write_text(
        "import pathlib, signal, sys, time\n"
        f"ended = pathlib.Path({str(ended)!r})\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(ended.touch()))\n"
        "print(1)\n"
        "time.sleep(60)\n"
    )
    with analyzer.language_host() as host:
        call = analyzer.started(host, tmp_path, "")
        assert next(call).stdout.startswith(b"1")
        call.cancel()
        assert _appears(ended)


def _appears(file: Path) -> bool:
    for _ in range(100):
        if file.exists():
            return True
        time.sleep(0.1)
    return False
