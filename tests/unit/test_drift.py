"""What others set on an object of the stack: by entries as the API server keeps them, and no more than it."""

from __future__ import annotations

import json
from typing import Any

from ops.status.drift import LAST_APPLIED, foreign

BY_HAND = {
    "kind": "Deployment",
    "metadata": {"name": "backend", "namespace": "staging"},
    "spec": {
        "replicas": 2,
        "template": {
            "metadata": {"labels": {"app": "backend"}},
            "spec": {
                "containers": [
                    {
                        "name": "backend",
                        "image": "registry.example.com/backend:staging",
                        "ports": [{"containerPort": 8000}],
                        "resources": {},
                        "env": [{"name": "LOG_LEVEL", "value": "INFO"}],
                    }
                ]
            },
        },
    },
}


def _container(**fields: Any) -> dict[str, Any]:
    named = {'k:{"name":"backend"}': {".": {}, "f:name": {}, **fields}}
    return {"f:template": {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:containers": named}}}


def _env(*names: str) -> dict[str, Any]:
    each = {f'k:{{"name":"{name}"}}': {".": {}, "f:name": {}, "f:value": {}} for name in names}
    return {".": {}, **each}


PORT = 'k:{"containerPort":8000,"protocol":"TCP"}'
OURS = {
    "manager": "pulumi-kubernetes-1a2b3c4d",
    "operation": "Apply",
    "fieldsV1": {
        "f:metadata": {"f:labels": {"f:app.kubernetes.io/name": {}}},
        "f:spec": {
            "f:replicas": {},
            **_container(
                **{
                    "f:image": {},
                    "f:ports": {PORT: {".": {}, "f:containerPort": {}, "f:name": {}}},
                    "f:resources": {"f:limits": {"f:cpu": {}}},
                    "f:env": _env("LOG_LEVEL"),
                }
            ),
        },
    },
}
CONTROLLER = {
    "manager": "kube-controller-manager",
    "operation": "Update",
    "fieldsV1": {"f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}},
}


def _applied(*names: str) -> dict[str, Any]:
    """What is left of a `kubectl apply` once Pulumi took the object over: equal values, and defaults."""
    return {
        "manager": "kubectl-client-side-apply",
        "operation": "Update",
        "fieldsV1": {
            "f:metadata": {"f:annotations": {".": {}, f"f:{LAST_APPLIED}": {}}},
            "f:spec": {
                "f:progressDeadlineSeconds": {},
                "f:replicas": {},
                "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}},
                **_container(
                    **{
                        "f:imagePullPolicy": {},
                        "f:ports": {".": {}, PORT: {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                        "f:resources": {},
                        "f:env": _env(*names),
                    }
                ),
            },
        },
    }


def _deployment(*entries: dict[str, Any], noted: Any = BY_HAND) -> dict[str, Any]:
    annotations = {LAST_APPLIED: noted if isinstance(noted, str) else json.dumps(noted)}
    metadata = {"name": "backend", "annotations": annotations, "managedFields": [OURS, *entries]}
    return {"kind": "Deployment", "metadata": metadata}


def _said(*entries: dict[str, Any], noted: Any = BY_HAND) -> list[str]:
    return [str(one) for one in foreign([_deployment(*entries, noted=noted)])]


def test_after_an_adoption_what_kubectl_and_pulumi_both_want_is_no_drift() -> None:
    assert _said(_applied("LOG_LEVEL"), CONTROLLER) == []


def test_what_kubectl_applied_and_pulumi_does_not_want_is_drift_and_defaults_are_not() -> None:
    noted = json.loads(json.dumps(BY_HAND))
    container = noted["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "DEPLOYED_BY", "value": "hand"})
    field = 'spec.template.spec.containers[{"name":"backend"}].env[{"name":"DEPLOYED_BY"}]'
    assert _said(_applied("LOG_LEVEL", "DEPLOYED_BY"), CONTROLLER, noted=noted) == [
        f"deployment/backend: kubectl-client-side-apply set {field}.name, {field}.value"
    ]


def test_without_a_readable_note_of_what_was_applied_every_field_of_it_counts() -> None:
    (found,) = foreign([_deployment(_applied("LOG_LEVEL"), noted="no document")])
    container = 'spec.template.spec.containers[{"name":"backend"}]'
    # That the resources are there is Pulumi's doing too, which sets a limit in them.
    assert found.fields == (
        "spec.progressDeadlineSeconds",
        "spec.strategy.rollingUpdate.maxSurge",
        f"{container}.imagePullPolicy",
        f'{container}.ports[{{"containerPort":8000,"protocol":"TCP"}}].protocol',
    )


def test_what_was_set_on_it_afterwards_is_drift() -> None:
    paused = {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    scaled = {"manager": "kubectl", "subresource": "scale", "fieldsV1": {"f:spec": {"f:minReadySeconds": {}}}}
    assert _said(_applied("LOG_LEVEL"), paused, scaled) == [
        "deployment/backend: kubectl-edit set spec.paused",
        "deployment/backend: kubectl set spec.minReadySeconds",
    ]


def test_one_list_item_is_not_another() -> None:
    port = {'k:{"containerPort":9000,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}}
    entry = {
        "manager": "kubectl-patch",
        "operation": "Update",
        "fieldsV1": {
            "f:spec": _container(**{"f:ports": port}),
            "f:metadata": {"f:finalizers": {'v:"x"': {}}},
        },
    }
    (line,) = _said(entry)
    assert line.endswith('.ports[{"containerPort":9000,"protocol":"TCP"}].containerPort')
    assert 'metadata.finalizers["x"]' in line


def test_what_was_there_before_pulumi_came_is_not_set_by_it_who_made_the_object() -> None:
    made = {"manager": "kubectl-create", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}}
    assert _said(made) == []
