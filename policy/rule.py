"""What a rule is: a name, why, what to do, and a pure function from manifests to faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    Manifest: TypeAlias = Mapping[str, Any]
    Judge: TypeAlias = Callable[[Manifest], "Iterable[Fault]"]
    StackJudge: TypeAlias = Callable[[Sequence["Object"]], "Iterable[tuple[Object, Fault]]"]


class Fault(NamedTuple):
    """What is wrong, and at which path. Never a value: secrets reach the pack in plain text."""

    path: str
    text: str


@dataclass(frozen=True)
class Object:
    """One Kubernetes object of the stack; `unknown` are the paths whose values only the update will tell."""

    manifest: Manifest
    urn: str = ""
    unknown: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> str:
        """What it is: `Deployment`, `Secret` and so on."""
        return str(self.manifest.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name, empty where Pulumi chooses it."""
        return str(self.manifest.get("metadata", {}).get("name", ""))

    @property
    def namespace(self) -> str:
        """The namespace that it names."""
        return str(self.manifest.get("metadata", {}).get("namespace", ""))

    def knows(self, fault: Fault) -> bool:
        """Whether the fault is about values that are known: an unknown one is judged by the update."""
        return not any(
            _within(fault.path, unknown) or _within(unknown, fault.path) for unknown in self.unknown
        )


def _within(path: str, other: str) -> bool:
    return path == other or path.startswith((f"{other}.", f"{other}["))


@dataclass(frozen=True)
class Rule:
    """One row of the table. `judge` sees one manifest, `judge_stack` all of them; a rule has either."""

    name: str
    severity: str
    description: str
    remedy: str
    judge: Judge | None = None
    judge_stack: StackJudge | None = None

    def message(self, judged: Object, fault: Fault) -> str:
        """Place, cause, remedy, on one line."""
        return (
            f"{judged.kind} {judged.name or '(named by Pulumi)'}: {fault.path}: {fault.text}; {self.remedy}"
        )


def of_one(rule: Rule, judged: Object) -> list[Fault]:
    """What a rule for single objects finds in one."""
    return [fault for fault in (rule.judge(judged.manifest) if rule.judge else ()) if judged.knows(fault)]


def of_stack(rule: Rule, objects: Sequence[Object]) -> list[tuple[Object, Fault]]:
    """What a rule for the whole stack finds, each fault with the object that it is about."""
    found = rule.judge_stack(objects) if rule.judge_stack else ()
    return [(judged, fault) for judged, fault in found if judged.knows(fault)]
