"""Asks the API server what is there, and by dry run what would become of it. Changes nothing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.adopt import difference, verdict, wanted
from ops.adopt.kept import kept
from ops.adopt.key import Key
from ops.cluster import kubectl
from ops.cluster.kinds import IN_A_NAMESPACE, UNKNOWN, of_operators

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.adopt.key import Manifest
    from ops.adopt.verdict import Finding
    from ops.adopt.wanted import PreviewedObjects

KINDS = ",".join((*IN_A_NAMESPACE, "statefulsets.apps", "daemonsets.apps", "persistentvolumeclaims"))
"""What an `up` may meet, and what people may have made beside it."""

MANAGER = "ops-adopt"
_AT_ONCE = 4


@dataclass(frozen=True)
class Cluster:
    """The one whose context this is; the current one for None."""

    context: str | None = None

    def findings(self, asked: PreviewedObjects) -> list[Finding]:
        """Say of every object that an `up` makes, and of every other in its namespace, what happens to it.

        Raises:
            KubectlError: there is no answer, or no right to ask.
        """
        name = asked.namespace
        namespace = self._namespace(name)
        if namespace is None:
            return [verdict.Finding(key=Key.of(made), verdict=verdict.Verdict.NEW) for made in asked.makes]
        live = [*self._items(name), *self._operators(asked), namespace]
        by_key = {Key.of(item): item for item in live}
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            found = list(pool.map(lambda made: self._finding(made, by_key.get(Key.of(made))), asked.makes))
        return [*found, *verdict.left_alone(asked, self._others(live, name))]

    def _finding(self, made: Manifest, live: Manifest | None) -> Finding:
        key = Key.of(made)
        if live is None and not wanted.is_complete(made):
            return verdict.Finding(key=key, verdict=verdict.Verdict.NEW)
        try:
            becomes = self._dry_run(made)
        except kubectl.KubectlError as error:
            if not verdict.is_refusal(error.said):
                raise
            return verdict.refused(key, live, error.said)
        if live is None:
            return verdict.Finding(key=key, verdict=verdict.Verdict.NEW)
        return verdict.taken(key, difference.changes(live, becomes), kept(live, made, becomes, MANAGER))

    def _dry_run(self, made: Manifest) -> Manifest:
        text = kubectl.run(
            [
                "apply", "--server-side", "--dry-run=server", "--force-conflicts",
                f"--field-manager={MANAGER}", "--output=json", "--show-managed-fields", "--filename=-",
            ],
            context=self.context,
            stdin=json.dumps(made),
        )  # fmt: skip
        try:
            return dict(json.loads(text))
        except ValueError:
            raise kubectl.KubectlError(f"kubectl apply gave no object for {Key.of(made)}") from None

    def _namespace(self, name: str) -> Manifest | None:
        asked = ["get", "namespace", name, "--ignore-not-found", "--output=json"]
        text = kubectl.run(asked, context=self.context)
        return dict(json.loads(text)) if text.strip() else None

    def _items(self, namespace: str) -> list[Manifest]:
        return kubectl.items(KINDS, namespace, context=self.context)

    def _operators(self, asked: PreviewedObjects) -> list[Manifest]:
        """What is there of the kinds that only a cluster with the operator knows, where any is to be made."""
        found: list[Manifest] = []
        for kind in of_operators(asked.makes):
            try:
                found += kubectl.items(kind, asked.namespace, context=self.context)
            except kubectl.KubectlError as error:
                # Of a kind that is not known nothing can be there.
                if not UNKNOWN.search(error.said):
                    raise
        return found

    @staticmethod
    def _others(live: Iterable[Manifest], namespace: str) -> list[Manifest]:
        return [item for item in live if Key.of(item) != Key("Namespace", namespace)]
