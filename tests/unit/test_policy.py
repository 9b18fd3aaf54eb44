"""The rules of the policy pack: none is broken by the stack, and each by a change of one field."""

from __future__ import annotations

from typing import Any

import pytest

from policy.rule import Fault, Object, of_one, of_stack
from policy.table import RULES
from tests.unit.allowed_changes import ALLOWED
from tests.unit.harness import Run, manifests
from tests.unit.other_settings import OTHER_SETTINGS
from tests.unit.violation import Violation
from tests.unit.violations import VIOLATIONS

# The controls of the Kubernetes hardening guide of NSA and CISA that a workload's manifest decides.
HARDENING_GUIDE = {
    "non-root containers": {"run-as-non-root", "high-user-id"},
    "immutable container file systems": {"read-only-root"},
    "privileged containers": {"not-privileged"},
    "host PID, IPC and network": {"no-host-namespaces"},
    "host path mounts": {"volume-types"},
    "host ports": {"no-host-ports"},
    "privilege escalation": {"no-privilege-escalation"},
    "insecure capabilities": {"no-capabilities"},
    "Linux hardening: seccomp, AppArmor, SELinux": {"seccomp-default", "kernel-guards"},
    "service account tokens": {"no-service-account-token", "own-service-account"},
    "resource limits": {"requests-and-limits", "quota", "limit-range"},
    "ingress and egress blocked": {"default-deny", "own-network-policy", "no-open-network-policy"},
    "credentials in configuration files": {"no-credentials-in-plain"},
    "exec into container": {"no-powerful-rights"},
    "administrative roles": {"no-cluster-wide-rights", "no-wildcard-rights"},
    "pod security enforced": {"namespace-restricted"},
    "encrypted traffic": {"ingress-tls"},
}


def broken(found: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """By rule the messages about these manifests."""
    objects = [Object(manifest, name) for name, manifest in found.items()]
    messages: dict[str, list[str]] = {}
    for rule in RULES:
        faults = [(each, fault) for each in objects for fault in of_one(rule, each)]
        for judged, fault in [*faults, *of_stack(rule, objects)]:
            messages.setdefault(rule.name, []).append(rule.message(judged, fault))
    return messages


def test_the_stack_keeps_every_rule(run: Run) -> None:
    assert broken(manifests(run)) == {}


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_other_settings_keep_every_rule(name: str) -> None:
    assert broken(manifests(OTHER_SETTINGS[name].run())) == {}


@pytest.mark.parametrize("violation", VIOLATIONS, ids=str)
def test_a_change_of_one_field_breaks_exactly_its_rule(run: Run, violation: Violation) -> None:
    messages = broken(violation.applied(manifests(run)))
    assert set(messages) == {violation.rule, *violation.with_it}, messages


@pytest.mark.parametrize("change", ALLOWED, ids=str)
def test_a_change_within_the_limits_breaks_none(run: Run, change: Violation) -> None:
    assert broken(change.applied(manifests(run))) == {}


def test_every_rule_has_a_violation() -> None:
    names = [rule.name for rule in RULES]
    assert {violation.rule for violation in VIOLATIONS} == set(names)
    assert len(names) == len(set(names))


def test_every_control_of_the_hardening_guide_is_a_rule() -> None:
    names = {rule.name for rule in RULES}
    assert {control for control, rules in HARDENING_GUIDE.items() if not rules <= names} == set()


def test_a_message_says_place_cause_and_remedy_on_one_line_and_never_a_value(run: Run) -> None:
    [secret] = [found for found in VIOLATIONS if "redis://" in str(found.value)]
    for violation in VIOLATIONS:
        for message in broken(violation.applied(manifests(run)))[violation.rule]:
            place, cause = message.split(": ", 2)[:2]
            assert place, message
            assert cause, message
            assert "; " in message, message
            assert "\n" not in message, message
    [message] = broken(secret.applied(manifests(run)))[secret.rule]
    assert "a-password" not in message
    assert message == (
        "Deployment backend: spec.template.spec.containers[0].env[0].value: looks like an address with a "
        "password; make it a secret of the stack, which reaches the pods by a Secret"
    )


@pytest.mark.parametrize(
    ("unknown", "told"),
    [
        ("spec.template.spec.containers[0].image", False),
        ("spec.template.spec", False),
        ("spec.template.spec.containers[0].image.tag", False),
        ("spec.template.spec.containers[0].imagePullPolicy", True),
        ("spec.template.spec.containers[1].image", True),
    ],
)
def test_only_what_is_unknown_waits_for_the_update(unknown: str, told: bool) -> None:
    fault = Fault("spec.template.spec.containers[0].image", "not NAME@sha256:DIGEST")
    assert Object({}, "", (unknown,)).knows(fault) is told


def test_the_token_that_browsers_may_know_is_no_credential(run: Run) -> None:
    anon = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl"
    [violation] = [
        each for each in VIOLATIONS if each.manifest == "configmap-prometheus" and "data" in each.at
    ]
    public = Violation(violation.rule, violation.manifest, violation.at, anon)
    assert broken(public.applied(manifests(run))) == {}
