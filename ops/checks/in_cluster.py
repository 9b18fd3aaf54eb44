"""Runs a Job made from the gate's, awaits it, reads its result and deletes it."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

from ops.checks import gate_job
from ops.checks.sanitise import plain
from ops.cluster import kubectl, objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.check_surroundings import RowCheck
    from ops.checks.result import RunResult

PAUSE_S = 0.5


def asked_there(
    here: RunResult,
    namespace: str,
    context: str | None,
    seconds: float,
    *,
    rows: Iterable[RowCheck],
    baseline: RunResult | None = None,
) -> RunResult:
    """Return the result with what a Job found of `rows`; without a gate, with the reason why none was made.

    A Job that was tried and gave no result is an error of all that it was to ask: nobody takes it for passed.
    """
    try:
        return gate_job.merged(here, _run(namespace, context, seconds), baseline)
    except gate_job.NoGateError as error:
        return gate_job.not_merged(here, str(error))
    except (kubectl.KubectlError, gate_job.NoGateJobError) as error:
        critical = {row.name: row.critical for row in rows}
        return gate_job.errored(here, f"{plain(str(error))}; without it: --no-job", critical, baseline)


def _run(namespace: str, context: str | None, seconds: float) -> RunResult:
    manifest = gate_job.made_from(gate_job.gate(kubectl.items("jobs", namespace, context=context)))
    create = ["create", "--filename", "-", "--output", "jsonpath={.metadata.name}"]
    name = kubectl.run(create, context=context, stdin=json.dumps(manifest)).strip()
    job = ["--namespace", namespace, f"job/{name}"]
    try:
        _await(job, context, time.monotonic() + seconds)
        return gate_job.result_in(kubectl.run(["logs", *job], context=context))
    finally:
        # One that stays goes by its own time to live.
        with contextlib.suppress(kubectl.KubectlError):
            kubectl.run(["delete", *job, "--cascade=background", "--wait=false"], context=context)


def _await(job: list[str], context: str | None, ends: float) -> None:
    """Look until the Job has ended. One look that is refused is none: the Job goes on all the same."""
    refused: kubectl.KubectlError | None = None
    while True:
        try:
            if objects.has_ended(json.loads(kubectl.run(["get", *job, "--output", "json"], context=context))):
                return
            refused = None
        except kubectl.KubectlError as error:
            refused = error
        if time.monotonic() > ends:
            raise refused or gate_job.NoGateJobError(f"{job[-1]} did not end in time; it was deleted")
        time.sleep(PAUSE_S)
