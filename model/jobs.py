"""The guide's four jobs, and the feature without which each has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.job_effects import Task
    from model.settings import CronJob, Settings

FEATURES = {
    "anomaly-detection": "anomaly_detection",
    "embedding-generation": "rag_search",
    "model-training": "ml_classification",
    "scheduled-reports": "audit_trail",
}
"""By the job's name in the settings."""

# The guide's name of each job, by its name in the settings; the program's argument is the settings' name.
JOB_NAMES = {
    "anomaly-detection": "anomaly-detection-job",
    "embedding-generation": "embedding-generation-job",
    "model-training": "model-training-job",
    "scheduled-reports": "scheduled-reports-job",
}


def run_once(settings: Settings) -> tuple[Task, ...]:
    """The jobs that a rollout runs once: those that are safe to, as far as they are there."""
    wanted = settings.verification
    return tuple(task for task in wanted.run_jobs if wanted.enabled and task in active(settings))


def active(settings: Settings) -> dict[str, CronJob]:
    """The jobs whose feature is on, by their name in the settings."""
    features = settings.backend.features
    return {
        task: getattr(settings.cron_jobs, task.replace("-", "_"))
        for task, feature in FEATURES.items()
        if getattr(features, feature)
    }
