"""Orka PPM's audit trail on staging. Read it from top to bottom: that is the order of the deployment."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components import configuration, outputs
from components.announcement import Announcement
from components.backend import Backend, application_secrets
from components.checker import Checker
from components.cronjobs import CronJobs
from components.database import DatabaseExtension, LoginRoles
from components.edge import Edge
from components.frontend import Frontend, build_args
from components.images import Images
from components.job_runs import JobRuns
from components.logs import Logs
from components.migration import DatabaseMigration, read_sql
from components.monitoring import Monitoring
from components.namespace import StagingNamespace
from components.place import Place
from components.providers import providers
from components.secrets import AppSecret, PullSecret, gate_variables
from components.verification import Verification
from model.release import release_id

settings, secrets = configuration.load()
plan, review = read_sql(Path(__file__).parent / "sql")
admin_url = secrets["database-admin-url"]
top = pulumi.ResourceOptions(providers=providers(settings, admin_url))

images = Images("images", settings, secrets, {"frontend": build_args(settings, secrets)}, top).references
release = pulumi.Output.all(**images).apply(lambda found: release_id(settings, found, plan.checksums))
namespace = StagingNamespace("namespace", settings, top).name
pull = PullSecret("registry", namespace, settings.registry, secrets, top).names
place = Place(settings=settings, namespace=namespace, pull_secrets=pull)

extension = DatabaseExtension("vector", admin_url, top)
migration = DatabaseMigration(
    "migration", place, plan=plan, review=review, image=images["ops"], admin_url=admin_url,
    after=extension, opts=top,
)  # fmt: skip
roles = LoginRoles("roles", settings, admin_url, migration.job, top)

for_backend, for_jobs = (application_secrets(settings, secrets, roles.urls[role]) for role in ("app", "jobs"))
app_secret = AppSecret("backend", namespace, for_backend, top).name
jobs_secret = AppSecret("jobs", namespace, for_jobs, top).name

backend = Backend(
    "backend", place, image=images["backend"], secret=app_secret, migration=migration.job, opts=top
)
jobs = CronJobs(
    "cron-jobs", place, image=images["backend"], secret=jobs_secret, migration=migration.job, opts=top
)
judged = {"backend": backend.deployment, **jobs.jobs}
services = [backend.service]
if settings.frontend.target == "kubernetes":
    frontend = Frontend("frontend", place, image=images["frontend"], backend=backend.deployment, opts=top)
    judged["frontend"] = frontend.deployment
    services.append(frontend.service)
Edge("edge", namespace=namespace, settings=settings, after=services, opts=top)
if settings.monitoring.mode != "none":
    Monitoring(
        "monitoring", place, images, secrets, roles.urls["monitor"],
        release=release, migration=migration.job, opts=top,
    )  # fmt: skip
if settings.logging.sink != "none":
    Logs("logs", place, images["fluentd"], secrets, top)
if settings.verification.checker:
    judged["checker"] = Checker(
        "checker", place, image=images["ops"], secret=app_secret, migration=migration.job, opts=top
    ).deployment
if settings.verification.enabled:
    checks_secret = AppSecret("checks", namespace, gate_variables(secrets, roles.urls["readonly"]), top).name
    runs = JobRuns("job-runs", place, templates=jobs.templates, release=release, judged=judged, opts=top).jobs
    names = {"backend": app_secret, "jobs": jobs_secret, "checks": checks_secret}
    gate = Verification(
        "verification", place, image=images["ops"], secret=checks_secret,
        release=release, judged=judged, names=names, after=[*services, *runs], opts=top,
    )  # fmt: skip
    if settings.verification.announce:
        Announcement("announcement", place, images["ops"], secrets["slack-webhook-url"], gate.job, opts=top)
outputs.export(settings, namespace=namespace, release=release, images=images)
