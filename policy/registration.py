"""The table of rules as a Pulumi policy pack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ResourceValidationPolicy,
    Severity,
    StackValidationPolicy,
)

from policy.reading import read
from policy.rule import of_one, of_stack
from policy.table import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_policy import ReportViolation, ResourceValidationArgs, StackValidationArgs

    from policy.rule import Rule

NAME = "orka-ppm"


def serve() -> None:
    """Serve the pack until Pulumi lets go of it."""
    PolicyPack(NAME, [policy(rule) for rule in RULES], EnforcementLevel.MANDATORY)


def policy(rule: Rule) -> Policy:
    """One rule as Pulumi runs it."""
    severity = Severity(rule.severity)
    if rule.judge_stack:
        return StackValidationPolicy(
            rule.name, rule.description, _stack(rule), severity=severity, remediation_steps=rule.remedy
        )
    return ResourceValidationPolicy(
        rule.name, rule.description, _one(rule), severity=severity, remediation_steps=rule.remedy
    )


def _one(rule: Rule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        judged = read(args)
        if judged:
            for fault in of_one(rule, judged):
                report(rule.message(judged, fault), args.urn)

    return validate


def _stack(rule: Rule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        objects = [found for found in map(read, args.resources) if found]
        for judged, fault in of_stack(rule, objects):
            report(rule.message(judged, fault), judged.urn)

    return validate
