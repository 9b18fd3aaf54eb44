"""The gate's settings: whose checks it runs, in what time, and what the stack file adds to them."""

from __future__ import annotations

from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from model.check_defaults import Profile
from model.check_health import DEFAULT_LATENCY_MS
from model.job_effects import Task
from model.settings_base import HostName, LinePattern, Seconds, Strict
from model.settings_checks import OwnCallList, OwnHealthList

Provider: TypeAlias = Literal["application", "checker"]


class LatencyLimits(Strict):
    """Milliseconds within which each health address has to answer."""

    backend: int = Field(default=DEFAULT_LATENCY_MS["backend"], ge=1)
    database: int = Field(default=DEFAULT_LATENCY_MS["database"], ge=1)
    redis: int = Field(default=DEFAULT_LATENCY_MS["redis"], ge=1)
    openai: int = Field(default=DEFAULT_LATENCY_MS["openai"], ge=1)
    frontend: int = Field(default=DEFAULT_LATENCY_MS["frontend"], ge=1)


class ProvidedBy(Strict):
    """Who answers an address, where it is not what `checker` says of all three."""

    database: Provider | None = None
    redis: Provider | None = None
    openai: Provider | None = None


class Verification(Strict):
    """The gate: the same checks as `ops checks`, run inside the cluster after every rollout.

    `run_jobs` are the jobs that every rollout may run once, side by side, before it.
    `bundle_hosts` are what the page may name beside its own host, the API's and Supabase's.
    `log_allow` are patterns of lines that look like faults and are known to be none.
    `health` and `functional` are further checks; one that has the name of a profile's takes its place.
    """

    enabled: bool = True
    deadline_seconds: Seconds = 180
    profile: Profile = "guide"
    checker: bool = False
    provided_by: ProvidedBy = ProvidedBy()
    announce: bool = False
    version: str | None = None
    bundle_hosts: tuple[HostName, ...] = ()
    log_allow: tuple[LinePattern, ...] = ()
    run_jobs: tuple[Task, ...] = ()
    latency_ms: LatencyLimits = LatencyLimits()
    health: OwnHealthList = ()
    functional: OwnCallList = ()

    @model_validator(mode="after")
    def _checks_something(self) -> Self:
        if self.profile == "own" and not self.health + self.functional:
            message = "the profile own brings no checks: list them under `health` and `functional`"
            raise ValueError(message)
        return self

    @property
    def provided(self) -> frozenset[str]:
        """The names of the addresses of which `provided-by` says that somebody answers them."""
        return frozenset(self.provided_by.model_dump(exclude_none=True))

    @property
    def by_checker(self) -> frozenset[str]:
        """The names of those that the checker answers."""
        otherwise = "checker" if self.checker else "application"
        said = self.provided_by.model_dump()
        return frozenset(name for name, who in said.items() if (who or otherwise) == "checker")
