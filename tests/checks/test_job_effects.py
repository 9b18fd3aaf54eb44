"""A job that did its work has its effect; one that exits 0 and writes nothing has none, and is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from model.checks import ChecksFile, TokenSource
from model.job_effects import Task, effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checks.conftest import Stage
    from tests.sql.support import Database

TASKS = get_args(Task)
_EVENT = (
    "INSERT INTO public.roche_audit_logs"
    " (tenant_id, event_type, entity_type, severity, action_details, timestamp)"
    " VALUES (%(tenant)s, 'test_event', 'test', 'critical', '{}', now() - interval '1 hour')"
)
_REPORT = (
    "INSERT INTO public.audit_scheduled_reports"
    " (tenant_id, report_name, schedule_cron, filters, recipients, format)"
    " VALUES (%(tenant)s, 'weekly', '0 6 * * *', '{}', '[]', 'pdf')"
)


@pytest.fixture
def waiting(stage: Stage) -> Iterator[Database]:
    """A database with work for every job."""
    database = stage.database.server.create(template=stage.template)
    with database.connect() as connection:
        for statement in (_EVENT, _REPORT):
            connection.execute(statement.encode(), {"tenant": stage.bench.known.users[0].tenant_id})
    yield database
    database.drop()


@pytest.mark.parametrize("task", TASKS)
def test_the_effect_of_a_job_is_there_when_it_has_run_and_not_before(
    stage: Stage, waiting: Database, task: Task
) -> None:
    server, bench = waiting.server, stage.bench
    checks = ChecksFile(
        release_id="bench",
        token=TokenSource(supabase_url=bench.url("supabase_auth")),
        database=effects([task]),
    )
    environment = bench.credentials(server.url("orka_readonly_1", waiting.name))
    idle = bench.checks(checks, environment)
    assert idle.red == {f"effect-of-{task}": "column done is false, expected true"}
    assert idle.code == 1
    done = bench.job(task, server.url("orka_jobs_1", waiting.name))
    assert done.returncode == 0, done.stderr
    assert bench.checks(checks, environment).red == {}
