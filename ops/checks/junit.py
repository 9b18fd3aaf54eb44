"""The result as JUnit XML, which CI servers show. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ops.checks.result import CheckResult, RunResult


def junit(result: RunResult) -> str:
    """Return the XML. What does not fail the release is skipped with its reason, as is what was not run."""
    suite = ET.Element("testsuite", name=f"release {result.release_id}", timestamp=result.started_at)
    for check in result.checks:
        case = _case(suite, check.kind, check.name, check.latency_ms)
        if check.verdict != "passed":
            ET.SubElement(case, _outcome(check), message=f"{check.verdict}: {check.reason}", type=check.url)
    for entry in result.not_run:
        ET.SubElement(_case(suite, entry.kind, entry.name, None), "skipped", message=entry.reason)
    for outcome, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{outcome}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", _seconds(result.duration_ms))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _outcome(check: CheckResult) -> str:
    if not check.critical or check.verdict == "inconclusive":
        return "skipped"
    return "failure" if check.verdict == "failed" else "error"


def _case(suite: ET.Element, kind: str, name: str, milliseconds: int | None) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=kind, name=name, time=_seconds(milliseconds or 0))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
