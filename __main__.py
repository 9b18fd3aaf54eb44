"""Orka PPM's audit trail on staging. Read it from top to bottom: that is the order of the deployment."""

from __future__ import annotations

from components import startup  # isort: skip  # noqa: F401 - first: it makes all that follows cheaper
import pulumi

from components import configuration, outputs
from components.backend import Backend
from components.checker import Checker
from components.credentials import credentials
from components.cronjobs import CronJobs
from components.database import DatabaseExtension, LoginRoles
from components.edge import Edge
from components.frontend import Frontend, build_args
from components.images import Images
from components.judging import judge
from components.logs import Logs
from components.migration import SQL, DatabaseMigration, read_sql
from components.monitoring import Monitoring
from components.place import guarded_place
from components.providers import providers
from model.release import release_id

settings, secrets = configuration.load()
sql = read_sql(SQL)
admin_url = secrets["database-admin-url"]
top = pulumi.ResourceOptions(providers=providers(settings, admin_url))

images = Images("images", settings, secrets, {"frontend": build_args(settings, secrets)}, top).references
release = pulumi.Output.all(**images).apply(lambda found: release_id(settings, found, sql.plan.checksums))
place = guarded_place(settings, secrets, top)

extension = DatabaseExtension("vector", admin_url, top)
migrated = DatabaseMigration(
    "migration", place, sql=sql, image=images["ops"], admin_url=admin_url, after=extension, opts=top
).job
logins = LoginRoles("roles", settings, admin_url, migrated, top).urls
held = credentials(place, secrets, logins, top)

backend = Backend("backend", place, image=images["backend"], secret=held["backend"], after=migrated, opts=top)
jobs = CronJobs("cron-jobs", place, images["backend"], held["jobs"], backend=backend.deployment, opts=top)
judged, services = {"backend": backend.deployment, **jobs.jobs}, [backend.service]
if settings.frontend.target == "kubernetes":
    frontend = Frontend("frontend", place, image=images["frontend"], backend=backend.deployment, opts=top)
    judged["frontend"] = frontend.deployment
    services.append(frontend.service)
Edge("edge", namespace=place.namespace, settings=settings, after=services, opts=top)
if settings.monitoring.mode != "none":
    Monitoring(
        "monitoring", place, images, secrets, logins["monitor"], release=release, migration=migrated, opts=top
    )
if settings.logging.sink != "none":
    Logs("logs", place, images["fluentd"], secrets, top)
if settings.verification.by_checker:
    checker = Checker("checker", place, image=images["ops"], secret=held["checker"], after=migrated, opts=top)
    judged["checker"] = checker.deployment
if settings.verification.enabled:
    judge(place, images["ops"], secrets, held, jobs, release=release, judged=judged, after=services, opts=top)
outputs.export(settings, namespace=place.namespace, release=release, images=images)
