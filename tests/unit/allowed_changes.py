"""Changes of the real manifests that stay within the rules, at their limits."""

from __future__ import annotations

from tests.unit.violation import POD, SECURITY, Violation, added, role
from tests.unit.violations import BACKEND, JOB, MIGRATION, ROLLING, SCALED

ALLOWED = (
    Violation("", BACKEND, (*SECURITY, "runAsUser"), 10_000),
    Violation("", BACKEND, (*POD, "volumes", 0), {"name": "tmp", "projected": {"sources": [{"secret": {}}]}}),
    Violation("", JOB, ("spec", "startingDeadlineSeconds"), 10),
    Violation("", JOB, ("spec", "failedJobsHistoryLimit"), 10),
    Violation("", JOB, ("spec", "successfulJobsHistoryLimit"), 1),
    Violation("", MIGRATION, ("spec", "backoffLimit"), 3),
    Violation("", "poddisruptionbudget-backend", ("spec", "minAvailable"), "50%"),
    Violation("", "deployment-frontend", (*ROLLING, "maxUnavailable"), "25%"),
    Violation("", "resourcequota-limits", ("spec", "hard", "limits.cpu"), "20"),
    added("", "HorizontalPodAutoscaler", spec=SCALED | {"maxReplicas": 1}),
    role(""),
    added("", "RoleBinding", roleRef={"kind": "Role"}),
)
