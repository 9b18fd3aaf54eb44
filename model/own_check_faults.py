"""What is wrong between the stack file's own checks and the others: names, captures, and secrets in them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

from model.check_defaults import default_checks
from model.check_shell import Deployed
from model.gate_checks import wanted_of
from model.job_effects import Task
from model.jobs import active
from model.variable_faults import secret_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from model.checks import ChecksFile
    from model.settings import Settings

_CAPTURED = re.compile(r"\$\{([a-z][a-z0-9_]*)\}")
_LISTS = "verification.health and verification.functional"


def own_check_faults(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    """Every such fault; no value is in a message."""
    wanted = settings.verification
    for at, text in _texts(settings):
        if kind := secret_kind(text, secrets, public=False):
            yield f"{at} looks like a secret ({kind}), and everybody reads this file: remove it"
    if not wanted.health and not wanted.functional:
        return
    everything = replace(
        wanted_of(settings, "release", dict.fromkeys(get_args(Task), ""), ""),
        api_url=settings.api_url,
        frontend_url=settings.frontend_url,
        health=None,
        deployed=Deployed(namespace=settings.cluster.namespace, images={}, cron_jobs={}),
    )
    try:
        yield from _uncaptured(default_checks(everything))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            message = fault["msg"].removeprefix("Value error, ")
            yield f"{_LISTS}: {message}: rename the one here, or correct its `critical` or `excused-by`"


def _texts(settings: Settings) -> Iterator[tuple[str, str]]:
    wanted = settings.verification
    for key, checks in (("health", wanted.health), ("functional", wanted.functional)):
        for number, check in enumerate(checks):
            yield f"verification.{key}[{number}]", check.model_dump_json()
    for task, job in active(settings).items():
        yield f"cron-jobs.{task}.effect", job.effect or ""


def _uncaptured(file: ChecksFile) -> Iterator[str]:
    known: set[str] = set()
    for call in file.functional:
        for name in sorted(set(_CAPTURED.findall(call.model_dump_json())) - known):
            yield (
                f"verification.functional: {call.name} needs {name}, which no call before it captures: "
                "capture it in one, or take the call's place too"
            )
        known |= call.capture.keys()
