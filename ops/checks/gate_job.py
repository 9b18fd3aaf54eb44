"""A Job made from the gate's: what the operator's shell cannot ask, asked inside the cluster. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from model import job_effects
from ops.checks import verdicts
from ops.checks.result import CheckResult, RunResult
from ops.cluster import objects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.check_surroundings import NotHere

GATE = "verification"
MARK = "orka-ppm/asked-by-the-shell"
KINDS = ("database", "catalog")
"""What the gate can ask and a shell without the database's address cannot."""

_THERE = "in the cluster"
_NEEDED = ("functional", *KINDS)
"""Rows are compared with what calls gave."""

_LABELS = (objects.NAME_LABEL, "app.kubernetes.io/part-of")
FORGOTTEN_S = 600
"""After that the cluster itself removes a Job whose shell was killed."""


class NoGateJobError(ValueError):
    """No Job gave a result; the message says why."""


class NoGateError(NoGateJobError):
    """There is no Job to make one from: nothing was tried."""


def awaited(items: Iterable[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    """Return the Jobs of that name that an `up` awaits, the newest first: those of a shell are none."""
    found = [
        job
        for job in objects.of(items, "Job")
        if job["metadata"].get("labels", {}).get(objects.NAME_LABEL) == name
        and MARK not in job["metadata"].get("annotations", {})
    ]
    return sorted(found, key=lambda job: str(job["metadata"].get("creationTimestamp")), reverse=True)


def gate(items: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the newest Job of the gate.

    Raises:
        NoGateError: there is none.
    """
    found = awaited(items, GATE)
    if not found:
        raise NoGateError("there is no Job of the gate: set verification.enabled, and run `pulumi up`")
    return found[0]


def made_from(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a Job with the same pod, which prints its result as JSON."""
    spec = job["spec"]
    pod = json.loads(json.dumps(spec["template"]["spec"]))
    pod["containers"][0]["args"] += ["--json", *(word for kind in _NEEDED for word in ("--only", kind))]
    # Without what the controller added: a Job that brings another's labels is refused.
    given = spec["template"]["metadata"].get("labels", {})
    labels = {name: given[name] for name in _LABELS if name in given}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "generateName": "checks-of-the-shell-",
            "namespace": job["metadata"]["namespace"],
            "labels": labels,
            "annotations": {MARK: "true"},
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": spec["activeDeadlineSeconds"],
            "ttlSecondsAfterFinished": FORGOTTEN_S,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def result_in(log: str) -> RunResult:
    """Return the result at the end of a log, behind the lines of the progress.

    Raises:
        NoGateJobError: there is none.
    """
    lines = log.splitlines()
    starts = [number for number, line in enumerate(lines) if line == "{"]
    try:
        return RunResult.model_validate_json("\n".join(lines[starts[-1] :]))
    except (IndexError, ValidationError):
        last = lines[-1] if lines else "it is empty"
        raise NoGateJobError(f"the Job's log holds no result: {last}") from None


def missing(not_run: Iterable[NotHere]) -> bool:
    """Say whether a Job could ask what could not be asked here."""
    return any(entry.kind in KINDS for entry in not_run)


def merged(here: RunResult, there: RunResult, baseline: RunResult | None = None) -> RunResult:
    """Return the result of the shell with the Job's checks of what the shell could not ask.

    The effects of jobs are left out: none has just been run.

    Raises:
        NoGateJobError: the Job judged another release.
    """
    if there.release_id != here.release_id:
        raise NoGateJobError(f"the gate's Job is of release {there.release_id}, not {here.release_id}")
    asked = {check.name for check in here.checks}
    more = [
        check.model_copy(update={"url": f"{check.url}, {_THERE}"})
        for check in there.checks
        if check.kind in KINDS and check.name not in asked and not check.name.startswith(job_effects.PREFIX)
    ]
    return _with(here, more, baseline)


def not_merged(here: RunResult, reason: str) -> RunResult:
    """Return the result of the shell, which says why no Job was made to ask the rest."""
    return here.model_copy(
        update={
            "not_run": tuple(
                entry.model_copy(update={"reason": _both(entry, reason)}) if entry.kind in KINDS else entry
                for entry in here.not_run
            )
        }
    )


def errored(
    here: RunResult, reason: str, critical: Mapping[str, bool], baseline: RunResult | None
) -> RunResult:
    """Return the result of the shell with an error for all that a Job was to ask and did not.

    `critical` says by name whether it counts; what it does not name does.
    """
    more = [
        CheckResult(
            name=entry.name,
            kind=entry.kind,
            verdict="errored",
            reason=_both(entry, reason),
            latency_ms=None,
            url=f"database, {_THERE}",
            attempts=1,
            critical=critical.get(entry.name, True),
        )
        for entry in here.not_run
        if entry.kind in KINDS
    ]
    return _with(here, more, baseline)


def _both(entry: NotHere, reason: str) -> str:
    return f"{entry.reason}; {_THERE}: {reason}"


def _with(here: RunResult, more: Iterable[CheckResult], baseline: RunResult | None) -> RunResult:
    added = verdicts.compared(more, baseline)
    checks = (*here.checks, *added)
    names = {check.name for check in added}
    return here.model_copy(
        update={
            "checks": checks,
            "verdict": verdicts.overall(checks),
            "degraded": verdicts.degraded(checks),
            "not_run": tuple(entry for entry in here.not_run if entry.name not in names),
        }
    )
