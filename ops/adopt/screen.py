"""Shows what was found, for people and for programs. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ops.adopt.verdict import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA = 1
_ORDER = (Verdict.CANNOT, Verdict.TAKE_OVER, Verdict.LEFT_ALONE, Verdict.NEW)


def text(namespace: str, findings: Sequence[Finding]) -> str:
    """Each object that is there, with what happens to it; those that are new by number only."""
    lines = [f"namespace {namespace}"]
    for verdict in _ORDER[:-1]:
        for finding in findings:
            if finding.verdict == verdict:
                lines += ["", *_lines(finding)]
    return "\n".join([*lines, "", _conclusion(findings)])


def json(namespace: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """The same as one document."""
    return {
        "schema_version": SCHEMA,
        "namespace": namespace,
        "in_the_way": any(finding.in_the_way for finding in findings),
        "counts": {verdict.value: count for verdict, count in _counts(findings).items()},
        "objects": [{**asdict(finding), "key": str(finding.key)} for finding in findings],
    }


def _lines(finding: Finding) -> Iterator[str]:
    more = ", its pods are replaced" if finding.restarts else ""
    unchanged = finding.verdict == Verdict.TAKE_OVER and not finding.changes
    yield f"{finding.verdict.upper():<11}{finding.key}{more}{', as it is' if unchanged else ''}"
    if finding.cause:
        yield f"  {finding.cause}"
    if finding.remedy:
        yield f"  -> {finding.remedy}"
    for change in finding.changes:
        yield f"  {change}"
    for drift in finding.kept:
        for field in drift.fields:
            yield f"  {field} stays as {drift.manager} set it, until the object changes again"


def _counts(findings: Sequence[Finding]) -> Counter[Verdict]:
    return Counter(finding.verdict for finding in findings)


def _conclusion(findings: Sequence[Finding]) -> str:
    counts = _counts(findings)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _ORDER)
    blocked = [str(finding.key) for finding in findings if finding.in_the_way]
    if blocked:
        return f"{said}. In the way: {', '.join(blocked)}"
    if counts[Verdict.TAKE_OVER]:
        return f"{said}. Nothing is in the way of one `up` with cluster.take-over: true"
    return f"{said}. There is nothing to take over: leave cluster.take-over at false"
