"""Says of each object what an `up` does to it: take over, make new, nothing, or fail. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ops.adopt.key import Key
from ops.checks.sanitise import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ops.adopt.difference import Change
    from ops.adopt.key import Manifest
    from ops.adopt.wanted import PreviewedObjects
    from ops.status.drift import Drift

SETTING = "orka-ppm:cluster.selector-labels"
_RUN_PODS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job")
_NO_ANSWER = re.compile(
    r"Error from server \((Unauthorized|\w*Timeout|ServiceUnavailable|InternalError|TooManyRequests)\)"
    r"| cannot (patch|create) resource "
)


class Verdict(StrEnum):
    """What an `up` does to one object."""

    TAKE_OVER = "take over"
    NEW = "new"
    CANNOT = "cannot"
    LEFT_ALONE = "left alone"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One object. Of `changes`, `kept` and `restarts` only what is taken over has any."""

    key: Key
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    kept: tuple[Drift, ...] = ()
    restarts: bool = False
    """Whether its pods are replaced, by a rollout."""
    cause: str = ""
    remedy: str = ""
    in_the_way: bool = False


def taken(key: Key, changes: Iterable[Change], kept: Iterable[Drift]) -> Finding:
    """An object that the dry run changed."""
    found = tuple(changes)
    restarts = key.kind != "CronJob" and any(one.field.startswith("spec.template") for one in found)
    return Finding(key=key, verdict=Verdict.TAKE_OVER, changes=found, kept=tuple(kept), restarts=restarts)


def is_refusal(said: str) -> bool:
    """Whether kubectl tells of a judgement on the object, and not of no answer or of a missing right."""
    return ("is invalid" in said or "Error from server" in said) and not _NO_ANSWER.search(said)


def refused(key: Key, live: Manifest | None, said: str) -> Finding:
    """An object that the API server does not let us make so, by what kubectl said."""
    cause = _cause(said)
    if live is None:
        remedy = f"an `up` would end with this: change what is named by hand, or the setting that {key} is of"
    elif "spec.selector" in cause and "immutable" in cause:
        remedy = _selector_remedy(key, live)
    else:
        remedy = f"change that field by hand (kubectl edit {key}), or delete {key} where nothing needs it"
    return Finding(key=key, verdict=Verdict.CANNOT, cause=cause, remedy=remedy, in_the_way=True)


def left_alone(wanted: PreviewedObjects, live: Iterable[Manifest]) -> list[Finding]:
    """What lies in the namespace beside the stack, made by people; what a controller made has an owner."""
    ours = {Key.of(made) for made in wanted.makes} | wanted.owned
    closed = Key("NetworkPolicy", "default-deny") in ours
    found = []
    for item in live:
        key = Key.of(item)
        if key in ours or item["metadata"].get("ownerReferences") or _is_kubernetes_own(item):
            continue
        notes = list(_notes(key, closed=closed))
        found.append(
            Finding(
                key=key,
                verdict=Verdict.LEFT_ALONE,
                cause="; ".join(cause for cause, _ in notes),
                remedy="; ".join(remedy for _, remedy in notes),
            )
        )
    return sorted(found, key=lambda finding: finding.key)


def _notes(key: Key, *, closed: bool) -> Iterator[tuple[str, str]]:
    if key.kind == "CronJob":
        yield (
            "`ops checks` will be red: it calls a cron job that the release does not have a fault",
            "move it to another namespace, or run `ops checks --without cron-jobs`",
        )
    if closed and key.kind in _RUN_PODS:
        yield (
            "the network policies close every connection of its pods but DNS",
            "give them a NetworkPolicy of their own before the `up`",
        )


def _cause(said: str) -> str:
    """What the API server objected to, in one line, without what kubectl says around it."""
    lines = [line.strip().removeprefix("* ") for line in said.splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(("Warning:", "Please review")))
    # The value that it quotes is the whole selector in JSON's notation: our remedy shows the live one.
    text = re.sub(r"Invalid value: \{.*?\}: (?=[a-z])", "", text)
    return masked(
        re.sub(r'^(error: |Error from server( \(\w+\))?: |The \w+ "[^"]*" is invalid: )+', "", text)
    )


def _selector_remedy(key: Key, live: Manifest) -> str:
    selector: dict[str, Any] = live.get("spec", {}).get("selector", {})
    labels = selector.get("matchLabels")
    if selector.get("matchExpressions") or not labels:
        return f"no setting says matchExpressions: delete {key} in a quiet hour, and `up` makes it anew"
    commands = [
        f"pulumi config set --path '{SETTING}.{key.name}[\"{label}\"]' {value}"
        for label, value in labels.items()
    ]
    return f"{' && '.join(commands)} (it stays for as long as this Deployment lives)"


def _is_kubernetes_own(item: Manifest) -> bool:
    key = Key.of(item)
    return (
        key in (Key("ConfigMap", "kube-root-ca.crt"), Key("ServiceAccount", "default"))
        or item.get("type") == "kubernetes.io/service-account-token"
    )
