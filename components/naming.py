"""Names and labels. The guide's names are fixed, because people type them; the rest is Pulumi's to choose."""

from __future__ import annotations

BACKEND = "backend"
FRONTEND = "frontend"
PROMETHEUS = "prometheus"
BACKEND_PORT = 8000
FRONTEND_PORT = 3000
PROMETHEUS_PORT = 9090
SERVICE_PORT = 80

# The guide's name of each job, by its name in the settings; the program's argument is the settings' name.
CRON_JOBS = {
    "anomaly-detection": "anomaly-detection-job",
    "embedding-generation": "embedding-generation-job",
    "model-training": "model-training-job",
    "scheduled-reports": "scheduled-reports-job",
}


def selector(name: str) -> dict[str, str]:
    """What a Service and a Deployment select by. Never add to it: a Deployment's selector is immutable."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "orka-ppm"}


def labels(name: str) -> dict[str, str]:
    """The labels of everything that belongs to one part of the application."""
    return {**selector(name), "app.kubernetes.io/managed-by": "pulumi"}
