"""Pods whose containers ended with the last run: replaced, where a controller makes another.

A pod that the kubelet starts again counts a restart after code 255, which `ops checks` rightly reports. One
that its controller makes anew has none, as after a node was drained.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from twin.node import access
from twin.paths import API_SERVER
from twin.steps import StepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from twin.paths import Paths

# A Job's pod is left to the kubelet: its Job would take another one's place for a failure.
REPLACING = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet"})


def replace(paths: Paths) -> str:
    """Remove them at once; to be called when no container runs and no kubelet is there to start one."""
    with access.client(paths) as asked:
        listed = asked.get(f"{API_SERVER}/api/v1/pods")
        if listed.is_error:
            raise StepError(f"pods could not be listed: {listed.status_code} {listed.text[:500]}")
        dead = replaceable(listed.json()["items"])
        for place in dead:
            # Without a kubelet nobody would confirm the end of a grace period.
            gone = asked.delete(f"{API_SERVER}/api/v1/{place}", params={"gracePeriodSeconds": 0})
            if gone.is_error and gone.status_code != httpx.codes.NOT_FOUND:
                raise StepError(f"{place} could not be deleted: {gone.status_code} {gone.text[:500]}")
    return f"{len(dead)} to be replaced" if dead else "none"


def replaceable(pods: Iterable[Mapping[str, Any]]) -> list[str]:
    """API paths of the pods that were started once and whose controller makes another."""
    places = []
    for pod in pods:
        meta = pod["metadata"]
        owners = {owner["kind"] for owner in meta.get("ownerReferences", []) if owner.get("controller")}
        if owners & REPLACING and pod.get("status", {}).get("startTime"):
            places.append(f"namespaces/{meta['namespace']}/pods/{meta['name']}")
    return places
