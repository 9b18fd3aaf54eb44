"""The guide's four jobs, and the feature without which each has nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.job_effects import Task
    from model.settings import CronJob, Settings

FEATURES: Mapping[Task, str] = {
    "anomaly-detection": "anomaly_detection",
    "embedding-generation": "rag_search",
    "model-training": "ml_classification",
    "scheduled-reports": "audit_trail",
}
"""By the job's name in the settings."""

# The guide's name of each job, by its name in the settings; the program's argument is the settings' name.
JOB_NAMES: Mapping[Task, str] = {task: f"{task}-job" for task in FEATURES}


def run_once(settings: Settings) -> tuple[Task, ...]:
    """The jobs that a rollout runs once: those that are safe to, as far as they are there."""
    wanted = settings.verification
    return tuple(task for task in wanted.run_jobs if wanted.enabled and task in active(settings))


def active(settings: Settings) -> dict[Task, CronJob]:
    """The jobs whose feature is on, by their name in the settings."""
    features = settings.backend.features
    return {
        task: getattr(settings.cron_jobs, task.replace("-", "_"))
        for task, feature in FEATURES.items()
        if getattr(features, feature)
    }
