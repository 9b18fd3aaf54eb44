"""Which cluster, and what of it was made by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from model.settings_base import DnsLabel, Strict, Text

NAME_LABEL = "app.kubernetes.io/name"
_OF_EVERY_POD = {"app.kubernetes.io/part-of", "app.kubernetes.io/managed-by"}

LabelKey = Annotated[
    str,
    Text(
        r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?",
        "expected the key of a label like app or app.kubernetes.io/component",
    ),
]
LabelValue = Annotated[
    str,
    Text(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", "expected the value of a label like backend"),
]
Labels = Annotated[dict[LabelKey, LabelValue], Field(min_length=1)]
Part = Literal["backend", "frontend", "prometheus", "fluentd"]


def _each_its_own(given: dict[Part, dict[str, str]]) -> dict[Part, dict[str, str]]:
    for part, labels in given.items():
        if labels.get(NAME_LABEL, part) != part:
            message = (
                f"{part}: {NAME_LABEL} is how the commands find the pods of a part and has to say {part}: "
                "such a Deployment cannot be taken over, delete it in a quiet hour"
            )
            raise ValueError(message)
        if labels.keys() <= _OF_EVERY_POD:
            message = f"{part}: these labels are on every pod of the stack: name one that only {part} has"
            raise ValueError(message)
    for one, other in permutations(given, 2):
        if given[one].items() <= given[other].items():
            message = f"{one}: these labels select the pods of {other} too, whose requests would be mixed"
            raise ValueError(message)
    return given


class Cluster(Strict):
    """Which cluster, and where in it.

    `selector_labels` are by part those of a Deployment made by hand, which nobody can change any more.
    """

    kubeconfig: str | None = None
    context: str | None = None
    namespace: DnsLabel = "staging"
    take_over: bool = False
    selector_labels: Annotated[dict[Part, Labels], AfterValidator(_each_its_own)] = Field(
        default_factory=dict
    )

    def selector_by_hand(self, name: str) -> dict[str, str]:
        """The labels by which a part's pods have always been selected; none where it is ours."""
        return {
            key: value
            for part, labels in self.selector_labels.items()
            if part == name
            for key, value in labels.items()
        }
