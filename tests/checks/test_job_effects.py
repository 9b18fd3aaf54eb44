"""A job that did its work has its effect; one that exits 0 and writes nothing has none, and is found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import pytest

from model.checks import ChecksFile, TokenSource
from model.job_effects import Task, effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checks.bench import Run
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


IDLE = "column done is false, expected true"


def _add_work(database: Database, tenant: str) -> None:
    with database.connect() as connection:
        for statement in (_EVENT, _REPORT):
            connection.execute(statement.encode(), {"tenant": tenant})


@pytest.fixture
def waiting(stage: Stage) -> Iterator[Database]:
    """A database with work for every job."""
    database = stage.database.server.create(template=stage.template)
    _add_work(database, stage.bench.known.users[0].tenant_id)
    yield database
    database.drop()


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _looked_for(
    stage: Stage, database: Database, task: Task, begun: str, own: dict[Task, str] | None = None
) -> Run:
    checks = ChecksFile(
        release_id="bench",
        token=TokenSource(supabase_url=stage.bench.url("supabase_auth")),
        database=effects({task: begun}, own or {}),
    )
    url = database.server.url("orka_readonly_1", database.name)
    return stage.bench.checks(checks, stage.bench.credentials(url))


def _work(stage: Stage, database: Database, task: Task) -> None:
    done = stage.bench.job(task, database.server.url("orka_jobs_1", database.name))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("task", TASKS)
def test_the_effect_of_a_job_is_there_when_it_has_run_and_not_before(
    stage: Stage, waiting: Database, task: Task
) -> None:
    begun = _now()
    idle = _looked_for(stage, waiting, task, begun)
    assert idle.red == {f"effect-of-{task}": IDLE}
    assert idle.code == 1
    _work(stage, waiting, task)
    assert _looked_for(stage, waiting, task, begun).red == {}


@pytest.mark.parametrize("task", TASKS)
def test_what_the_run_of_the_last_release_wrote_is_no_effect_of_this_ones(
    stage: Stage, waiting: Database, task: Task
) -> None:
    _work(stage, waiting, task)
    first = _now()
    assert _looked_for(stage, waiting, task, first).red == {}, "with nothing to do, nothing is missing"
    _add_work(waiting, stage.bench.known.users[0].tenant_id)
    second = _now()
    assert _looked_for(stage, waiting, task, second).red == {f"effect-of-{task}": IDLE}
    _work(stage, waiting, task)
    assert _looked_for(stage, waiting, task, second).red == {}


def test_a_run_that_nobody_noted_the_beginning_of_is_never_green(stage: Stage, waiting: Database) -> None:
    run = _looked_for(stage, waiting, "model-training", "unknown")
    assert run.red == {"effect-of-model-training": "nobody noted when the run began that this asks for"}
    assert run.result["verdict"] == "errored"


def test_a_question_of_the_stack_file_is_asked_instead_and_can_change_nothing(
    stage: Stage, waiting: Database
) -> None:
    task: Task = "embedding-generation"
    count = "SELECT count(*) FROM public.audit_embeddings WHERE created_at >= {begun} AND 'a' LIKE '%'"
    begun = _now()
    assert _looked_for(stage, waiting, task, begun, {task: count}).red == {f"effect-of-{task}": IDLE}
    _work(stage, waiting, task)
    assert _looked_for(stage, waiting, task, begun, {task: count}).red == {}
    assert _looked_for(stage, waiting, task, _now(), {task: count}).red == {f"effect-of-{task}": IDLE}
    writing = (
        "SELECT lo_create(0)::bigint + count(*) FROM public.audit_embeddings WHERE created_at >= {begun}"
    )
    red = _looked_for(stage, waiting, task, begun, {task: writing}).red
    assert "ReadOnlySqlTransaction" in red[f"effect-of-{task}"]
