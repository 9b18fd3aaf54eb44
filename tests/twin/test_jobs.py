"""Each of the four cron jobs, run once by hand: it ends well, and its effect is rows of the tenant's."""

from __future__ import annotations

import secrets as random_values
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.twin.api import Api
from tests.twin.conftest import PATHS
from twin import database, secrets

if TYPE_CHECKING:
    from tests.twin.stack import Stack

# The twin's administrator is a superuser, whom row security does not bind.
# What counts a job's work, by the job's name.
EFFECTS = {
    "anomaly-detection-job": "SELECT count(*) FROM audit_anomalies WHERE tenant_id = %s",
    "embedding-generation-job": "SELECT count(*) FROM audit_embeddings WHERE tenant_id = %s",
    "model-training-job": "SELECT count(*) FROM audit_ml_models WHERE tenant_id = %s",
    "scheduled-reports-job": "SELECT coalesce(sum(run_count), 0) FROM audit_scheduled_reports"
    " WHERE tenant_id = %s",
}


def _value(query: str, *values: Any) -> int:
    with psycopg.connect(database.admin_url(PATHS)) as connection:
        row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return int(row[0])


def _work_for_every_job() -> None:
    """A severe event that nobody judged, embedded or learned from yet, and a report that is due."""
    tenant = secrets.of(PATHS).users[0].tenant_id
    Api(PATHS, 0).post_event(severity="critical", entity_id=random_values.token_hex(4))
    with psycopg.connect(database.admin_url(PATHS)) as connection:
        connection.execute(
            "INSERT INTO public.audit_scheduled_reports"
            " (tenant_id, report_name, schedule_cron, filters, recipients, format)"
            " VALUES (%s, 'of a test', '0 6 * * *', '{}', '[]', 'pdf')",
            [tenant],
        )


@pytest.mark.parametrize("job", EFFECTS)
def test_a_run_of_the_job_leaves_rows(deployed: Stack, job: str) -> None:
    _work_for_every_job()
    tenant = secrets.of(PATHS).users[0].tenant_id
    before = _value(EFFECTS[job], tenant)
    name = f"{job}-by-hand-{random_values.token_hex(3)}"
    deployed.kubectl("create", "job", name, f"--from=cronjob/{job}")
    try:
        deployed.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=90s")
        assert f'"job": "{job.removesuffix("-job")}"' in deployed.kubectl("logs", f"job/{name}")
        assert _value(EFFECTS[job], tenant) > before
    finally:
        deployed.kubectl("delete", "job", name)
