"""From the stack's outputs to its checks: how the operator's shell learns what to ask."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from model.check_defaults import Profile, Wanted, default_checks
from model.check_shell import Deployed
from model.verification_output import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.checks import ChecksFile, TokenSource

PULUMI_SECONDS = 90
JUDGED_DEPLOYMENTS = ("backend", "frontend")
"""Whose pods and logs are judged, where they are deployed."""


class OutputsError(RuntimeError):
    """The stack's outputs are not to be had, or lack what the checks need."""


def fetch(stack: str) -> str:
    """Return the JSON of `pulumi stack output`, without secrets.

    Raises:
        OutputsError: pulumi is missing, fails or does not answer in time.
    """
    command = ["pulumi", "stack", "output", "--json", "--non-interactive", "-s", stack]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PULUMI_SECONDS, check=False)
    except FileNotFoundError:
        raise OutputsError("pulumi is not on PATH; give the outputs with --outputs FILE") from None
    except subprocess.TimeoutExpired:
        raise OutputsError(f"`pulumi stack output` gave no answer within {PULUMI_SECONDS} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise OutputsError(f"`pulumi stack output -s {stack}` failed: {last[0]}")
    return done.stdout


def checks_from(
    text: str,
    token: TokenSource,
    *,
    profile: Profile | None = None,
    version: str | None = None,
    hosts: tuple[str, ...] | None = None,
) -> ChecksFile:
    """Return the default checks for the stack whose outputs these are; what is None is the stack's own.

    Raises:
        OutputsError: an output is missing or of another form.
    """
    try:
        outputs: Any = json.loads(text)
    except ValueError:
        raise OutputsError("the stack's outputs are not JSON") from None
    if not isinstance(outputs, dict):
        raise OutputsError("the stack's outputs are no JSON object")
    missing = [
        name for name in ("api_url", "frontend_url", "release_id") if not isinstance(outputs.get(name), str)
    ]
    if missing:
        raise OutputsError(f"the stack has no output {', '.join(missing)}: has `pulumi up` finished?")
    addresses, known = outputs.get("health_urls"), told(outputs)
    try:
        return default_checks(
            Wanted(
                release_id=outputs["release_id"],
                api_url=outputs["api_url"],
                frontend_url=outputs["frontend_url"],
                token=token,
                profile=profile or known.profile,
                version=version or known.version,
                hosts=known.bundle_hosts if hosts is None else hosts,
                checker=known.checker,
                provided=known.provided,
                own_health=known.health,
                own_functional=known.functional,
                latency_ms=known.latency_ms,
                health=addresses if isinstance(addresses, dict) else None,
                deployed=_deployed(outputs, known),
            )
        )
    except (KeyError, ValueError) as error:
        raise OutputsError(f"the stack's outputs give no valid checks: {error}") from error


def told(outputs: Mapping[str, Any]) -> Told:
    """Return what the stack tells of its settings; of one that is older than that output, the defaults.

    Raises:
        OutputsError: the output is of another form.
    """
    try:
        return Told.model_validate_json(json.dumps(outputs.get("verification") or {}))
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, ("verification", *fault["loc"])))
        raise OutputsError(f"the stack's output {place}: {fault['msg']}") from error


def _deployed(outputs: Mapping[str, Any], known: Told) -> Deployed:
    images, schedules = outputs.get("images"), outputs.get("cron_jobs")
    references = known.references(images) if isinstance(images, dict) else {}
    return Deployed(
        namespace=str(outputs.get("namespace", "staging")),
        images={name: references[name] for name in JUDGED_DEPLOYMENTS if name in references},
        cron_jobs=schedules if isinstance(schedules, dict) else {},
        suspended=known.suspended_cron_jobs,
        time_zone=known.time_zone,
        log_allow=known.log_allow,
        addresses=_addresses(outputs.get("dns_records")),
    )


def _addresses(records: Any) -> dict[str, str]:
    """By host the address of its record. A name that it shall lead to has addresses that come and go."""
    named = records.items() if isinstance(records, dict) else ()
    split = {host: str(record).partition(" ") for host, record in named}
    return {host: address for host, (kind, _, address) in split.items() if kind in ("A", "AAAA")}
