"""What somebody may do to a cron job by hand."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.twin.machine import apply

if TYPE_CHECKING:
    from tests.twin.stack import Stack

JOB = "embedding-generation-job"


def _patched(stack: Stack, kind: str, spec: dict[str, Any]) -> None:
    stack.kubectl("patch", "cronjob", JOB, "--type", kind, "--patch", json.dumps({"spec": spec}))


def succeeded_since(stack: Stack, moment: datetime) -> bool:
    """Whether a run of it ended well after that moment."""
    last = stack.manifest("cronjob", JOB).get("status", {}).get("lastSuccessfulTime")
    return last is not None and datetime.fromisoformat(last) > moment


def suspend(stack: Stack, *, on: bool) -> None:
    """Its turns are left out, or no more."""
    _patched(stack, "merge", {"suspend": on})


def fail(stack: Stack) -> None:
    """From now on each of its runs fails."""
    container = {"name": "job", "args": ["python", "-c", "raise SystemExit(1)"]}
    template = {"spec": {"template": {"spec": {"containers": [container]}}}}
    _patched(stack, "strategic", {"jobTemplate": template})


def never_run(stack: Stack) -> None:
    """The job as a new object, whose turn does not come; the rules know the settings' schedule."""
    found = stack.manifest("cronjob", JOB)
    stack.kubectl("delete", "cronjob", JOB)
    kept = {key: found["metadata"][key] for key in ("name", "namespace", "labels")}
    spec = {**found["spec"], "schedule": "0 0 1 1 *"}
    apply({"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": kept, "spec": spec})
