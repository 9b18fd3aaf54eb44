"""The audit API of the guide: events, anomalies, semantic search; and the reports that a job makes later."""

# FastAPI reads the annotations of routes when they are defined, so this file does not postpone them.
import time
from typing import Annotated, Any

import openai
from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request
from psycopg.types.json import Jsonb

from . import statements as sql
from .auth import Caller, caller_of
from .bodies import NewEvent, NewReport
from .bodies import Query as SearchQuery
from .database import vector_text
from .embeddings import embed_query
from .services import Services

routes = APIRouter(prefix="/api/audit")


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Used = Annotated[Services, Depends(_services)]


def _caller(services: Used, authorization: Annotated[str | None, Header()] = None) -> Caller:
    return caller_of(authorization, services.settings)


By = Annotated[Caller, Depends(_caller)]
Limit = Annotated[int, Query(ge=1, le=1000)]


@routes.post("/events", status_code=201)
async def create_event(body: NewEvent, caller: By, services: Used, request: Request) -> dict[str, Any]:
    """Append an event to the tenant's chain."""
    _enabled(services.settings.audit_trail)
    values = {
        "tenant": caller.tenant_id,
        "user": caller.user_id,
        "event_type": body.event_type,
        "entity_type": body.entity_type,
        "entity_id": body.entity_id,
        "severity": body.severity,
        "details": Jsonb(body.action_details),
        **_client(request),
    }
    async with services.database.tenant(caller.claims) as connection:
        cursor = await connection.execute(sql.INSERT_EVENT, values)
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(500, "the event was not stored")
    return row


@routes.get("/events")
async def read_events(
    caller: By,
    services: Used,
    request: Request,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0)] = 0,
    event_type: str | None = None,
    severity: str | None = None,
) -> dict[str, Any]:
    """Return the tenant's events, the latest first."""
    _enabled(services.settings.audit_trail)
    begun = time.monotonic()
    values = {"event_type": event_type, "severity": severity, "limit": limit, "offset": offset}
    async with services.database.tenant(caller.claims) as connection:
        events = await (await connection.execute(sql.SELECT_EVENTS, values)).fetchall()
        counted = await (await connection.execute(sql.COUNT_EVENTS, values)).fetchone()
        await _log_access(connection, caller, request, "read", values, len(events), begun)
    return {"events": events, "total": counted["total"] if counted else 0, "limit": limit, "offset": offset}


@routes.get("/anomalies")
async def read_anomalies(
    caller: By, services: Used, min_score: Annotated[float, Query(ge=0, le=1)] = 0.7, limit: Limit = 50
) -> dict[str, Any]:
    """Return what the anomaly job found, the latest first."""
    _enabled(services.settings.anomaly_detection)
    values = {"min_score": min_score, "limit": limit}
    async with services.database.tenant(caller.claims) as connection:
        anomalies = await (await connection.execute(sql.SELECT_ANOMALIES, values)).fetchall()
        counted = await (await connection.execute(sql.COUNT_ANOMALIES, values)).fetchone()
    for anomaly in anomalies:
        anomaly["anomaly_score"] = float(anomaly["anomaly_score"])
    return {"anomalies": anomalies, "total": counted["total"] if counted else 0}


@routes.post("/search")
async def search(body: SearchQuery, caller: By, services: Used, request: Request) -> dict[str, Any]:
    """Return the events whose content lies nearest to the question."""
    _enabled(services.settings.rag_search)
    begun = time.monotonic()
    model = services.settings.openai_embedding_model
    try:
        vector = await embed_query(services.openai, services.redis, model, body.query)
    except openai.OpenAIError as error:
        raise HTTPException(502, f"no embedding for the question: {type(error).__name__}") from error
    values = {"vector": vector_text(vector), "limit": body.limit}
    async with services.database.tenant(caller.claims) as connection:
        await connection.execute(sql.SEARCH_FURTHER)
        results = await (await connection.execute(sql.NEAREST, values)).fetchall()
        await _log_access(connection, caller, request, "search", {"query": body.query}, len(results), begun)
    for result in results:
        result["similarity"] = float(result["similarity"])
    sources = [result["event_id"] for result in results]
    return {"query": body.query, "results": results, "sources": sources, "total_results": len(results)}


@routes.post("/scheduled-reports", status_code=201)
async def create_report(body: NewReport, caller: By, services: Used) -> dict[str, Any]:
    """Order a report; the job `scheduled-reports` makes it when it is due."""
    values = {
        "tenant": caller.tenant_id,
        "user": caller.user_id,
        "name": body.report_name,
        "cron": body.schedule_cron,
        "filters": Jsonb(body.filters),
        "recipients": Jsonb(body.recipients),
        "format": body.format,
    }
    async with services.database.tenant(caller.claims) as connection:
        row = await (await connection.execute(sql.INSERT_REPORT, values)).fetchone()
    if row is None:
        raise HTTPException(500, "the report was not stored")
    return row


@routes.get("/scheduled-reports")
async def read_reports(caller: By, services: Used) -> dict[str, Any]:
    """Return the tenant's reports and when each was last made."""
    async with services.database.tenant(caller.claims) as connection:
        reports = await (await connection.execute(sql.SELECT_REPORTS)).fetchall()
    return {"reports": reports, "total": len(reports)}


async def _log_access(
    connection: Any,
    caller: Caller,
    request: Request,
    kind: str,
    parameters: dict[str, Any],
    count: int,
    begun: float,
) -> None:
    """Record who looked, in the same transaction: no answer without its record. A token without a user has none."""
    if caller.user_id is None:
        return
    values = {
        "tenant": caller.tenant_id,
        "user": caller.user_id,
        "type": kind,
        "parameters": Jsonb(parameters),
        "count": count,
        "milliseconds": round((time.monotonic() - begun) * 1000),
        **_client(request),
    }
    await connection.execute(sql.LOG_ACCESS, values)


def _client(request: Request) -> dict[str, str | None]:
    return {"ip": request.client.host if request.client else None, "agent": request.headers.get("user-agent")}


def _enabled(flag: bool) -> None:
    if not flag:
        raise HTTPException(404, "this feature is switched off")
