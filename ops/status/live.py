"""Reads what stands on the screen, and whatever else the stack has: drift may be anywhere."""

from __future__ import annotations

import re
from typing import Any

from ops.cluster import kubectl
from ops.cluster.kinds import IN_A_NAMESPACE, OPERATORS, UNKNOWN

SHOWN = ("deployments.apps", "pods", "cronjobs.batch", "jobs.batch")
# What nobody has to read in order to say how things are: Secrets come with their contents.
_NEVER = ("secrets",)
KINDS = tuple(dict.fromkeys((*SHOWN, *(kind for kind in IN_A_NAMESPACE if kind not in _NEVER))))
_REFUSED = re.compile(r' cannot list resource "(\w+)"')


def read(namespace: str, *, context: str | None, operator: bool = False) -> tuple[list[Any], list[str]]:
    """Return the objects with who set which field, and the kinds that cannot be listed.

    The built-in role `view` gives no right to list roles and their bindings; `operator` says whether the
    stack has objects for one, whose kinds a cluster may not know.

    Raises:
        KubectlError: there is no answer, or not the right to see what stands on the screen.
    """
    asked, unseen = (*KINDS, *OPERATORS) if operator else KINDS, list[str]()
    while True:
        try:
            # Without this flag kubectl hides who set which field.
            more = ("--show-managed-fields",)
            return kubectl.items(",".join(asked), namespace, context=context, more=more), unseen
        except kubectl.KubectlError as error:
            said = {*_REFUSED.findall(error.said), *UNKNOWN.findall(error.said)}
            refused = [kind for kind in asked if kind.partition(".")[0] in said]
            if not refused or not set(refused).isdisjoint(SHOWN):
                raise
            unseen += refused
            asked = tuple(kind for kind in asked if kind not in refused)
