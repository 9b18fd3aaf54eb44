"""What should be in the namespace and is not: what is gone has no line of its own on the screen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.cluster import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.verification_output import Told


def deployments(items: Iterable[Mapping[str, Any]], outputs: Mapping[str, Any], told: Told) -> list[str]:
    """Return a fault for each Deployment of the stack that is not there."""
    there = {objects.name(item) for item in objects.of(items, "Deployment")}
    found = [] if there else ["there is no Deployment at all: is it the right --context and --namespace?"]
    wanted = told.references(outputs.get("images") or {})
    return found + [f"there is no Deployment {name}" for name in wanted if name not in there]


def cron_jobs(items: Iterable[Mapping[str, Any]], outputs: Mapping[str, Any]) -> list[str]:
    """Return a fault for each cron job of the stack that is not there."""
    there = {objects.name(item) for item in objects.of(items, "CronJob")}
    wanted = outputs.get("cron_jobs") or {}
    return [f"there is no cron job {name}" for name in wanted if name not in there]


def gate(last: str | None, told: Told) -> list[str]:
    """Return a fault where every rollout ends with the gate, and there is none."""
    if last is None and told.gate:
        return ["there is no verification of this release: run `pulumi up`, which ends with it"]
    return []
