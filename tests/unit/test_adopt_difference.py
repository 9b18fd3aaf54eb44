"""What differs between an object and what it would become: named once, at its top, without noise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.adopt.difference import changes
from ops.adopt.kept import kept
from ops.adopt.verdict import is_refusal
from ops.status.drift import LAST_APPLIED


def _object(spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "backend", **metadata}, "spec": spec}


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({"replicas": 1}, {"replicas": 2}, "spec.replicas changes: 1 -> 2"),
        ({}, {"paused": True}, "spec.paused appears: true"),
        ({"a": {"b": 1}}, {}, "spec.a goes"),
        (
            {"ports": [{"port": 80}]},
            {"ports": [{"port": 80, "name": "http"}]},
            "spec.ports[80].name appears: http",
        ),
        ({"list": ["a"]}, {"list": ["a", "b"]}, "spec.list[1] appears: b"),
        ({"selector": {"a.b/c": "d"}}, {"selector": {}}, "spec.selector[a.b/c] goes: d"),
        (
            {"env": [{"name": "A", "value": "x"}]},
            {"env": [{"name": "A", "value": "y"}]},
            "spec.env[A].value changes",
        ),
        ({"x": "password=hunter2"}, {"x": 1}, "spec.x changes: password=*** -> 1"),
    ],
)
def test_a_change_is_one_line(before: dict[str, Any], after: dict[str, Any], line: str) -> None:
    assert [str(change) for change in changes(_object(before), _object(after))] == [line]


def test_items_are_matched_by_name_whatever_their_order() -> None:
    one = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]
    assert changes(_object({"volumes": one}), _object({"volumes": one[::-1]})) == []


def test_what_the_server_and_kubectl_write_is_no_change() -> None:
    live = _object({}, uid="1", resourceVersion="2", managedFields=[1], annotations={LAST_APPLIED: "{}"})
    assert changes(live, {**_object({}, uid="1", generation=3), "status": {"ready": 1}}) == []


def test_what_kubectl_applied_and_up_does_not_say_stays() -> None:
    hand = {"spec": {"type": "NodePort", "ports": [{"port": 80}], "gone": 1, "empty": {}}}
    live = _object(hand["spec"], annotations={LAST_APPLIED: json.dumps(hand)})
    becomes = _object({"type": "NodePort", "ports": [{"port": 80}], "empty": {}})
    found = kept(live, _object({"ports": [{"port": 80}]}), becomes, "ops-adopt")
    assert [(one.manager, one.fields) for one in found] == [("kubectl-client-side-apply", ("spec.type",))]


def test_what_others_set_stays_and_what_controllers_do_is_theirs() -> None:
    def entry(manager: str, field: str, **more: str) -> dict[str, Any]:
        return {"manager": manager, "fieldsV1": {"f:spec": {f"f:{field}": {}}}, **more}

    becomes = _object({}, managedFields=[
        entry("kubectl-edit", "paused"), entry("kubectl-edit", "replicas"), entry("ops-adopt", "replicas"),
        entry("kube-controller-manager", "x"), entry("kubectl-create", "y"),
        entry("a", "z", subresource="status"),
    ])  # fmt: skip
    assert [str(one) for one in kept(_object({}), _object({}), becomes, "ops-adopt")] == [
        "service/backend: kubectl-edit set spec.paused"
    ]


@pytest.mark.parametrize(
    ("said", "judged"),
    [
        ('The Deployment "x" is invalid: spec.selector: field is immutable', True),
        ("Error from server: failed to create typed patch object", True),
        ("Error from server (Forbidden): exceeded quota: limits", True),
        ('Error from server (Forbidden): User "x" cannot create resource "jobs"', False),
        ("Error from server (InternalError): failed calling webhook", False),
        ("Error from server (ServerTimeout): again", False),
        ("Unable to connect to the server", False),
    ],
)
def test_a_judgement_is_told_from_no_answer(said: str, *, judged: bool) -> None:
    assert is_refusal(said) is judged
