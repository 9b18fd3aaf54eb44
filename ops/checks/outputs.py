"""From the stack's outputs to its checks: how the operator's shell learns what to ask."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from model.check_defaults import Profile, Wanted, default_checks
from model.check_shell import Deployed

if TYPE_CHECKING:
    from model.checks import ChecksFile, TokenSource

PULUMI_SECONDS = 90
DEPLOYMENTS = ("backend", "frontend")


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
    profile: Profile = "guide",
    version: str | None = None,
    hosts: tuple[str, ...] | None = None,
) -> ChecksFile:
    """Return the default checks for the stack whose outputs these are.

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
    addresses = outputs.get("health_urls")
    try:
        return default_checks(
            Wanted(
                release_id=outputs["release_id"],
                api_url=outputs["api_url"],
                frontend_url=outputs["frontend_url"],
                token=token,
                profile=profile,
                version=version,
                hosts=hosts,
                health=addresses if isinstance(addresses, dict) else None,
                deployed=_deployed(outputs),
            )
        )
    except (KeyError, ValueError) as error:
        raise OutputsError(f"the stack's outputs give no valid checks: {error}") from error


def _deployed(outputs: dict[str, Any]) -> Deployed:
    images, schedules = outputs.get("images"), outputs.get("cron_jobs")
    return Deployed(
        namespace=str(outputs.get("namespace", "staging")),
        # The images of Deployments; that of the Jobs is not one.
        images={name: images[name] for name in DEPLOYMENTS} if isinstance(images, dict) else {},
        cron_jobs=schedules if isinstance(schedules, dict) else {},
    )
