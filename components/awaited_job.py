"""A Job that `up` waits for: tried once, ended by its deadline, made anew where one did not succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pulumi
    from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict

    from components.component import Component

# Pulumi waits a little longer than the Job may take, so that the Job's own reason is what fails the `up`.
JOB_MARGIN_SECONDS = 60


def awaited_job(
    owner: Component,
    name: str,
    namespace: pulumi.Input[str],
    template: PodTemplateSpecArgsDict,
    *,
    labels: Mapping[str, str],
    seconds: int,
    after: Iterable[pulumi.Resource],
) -> k8s.batch.v1.Job:
    """Register it as a child of `owner`. A changed template makes another one, for it is immutable."""
    return k8s.batch.v1.Job(
        name,
        metadata={
            "namespace": namespace,
            "labels": dict(labels),
            "annotations": {"pulumi.com/replaceUnready": "true"},
        },
        spec={"backoff_limit": 0, "active_deadline_seconds": seconds, "template": template},
        opts=owner.child_after(*after, seconds=seconds + JOB_MARGIN_SECONDS),
    )
