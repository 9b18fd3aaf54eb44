"""`python -m jobs NAME`: one run of one job over all tenants. Exit codes: 0 done, 1 failed, 2 usage."""

from __future__ import annotations

import json
import os
import sys

import openai
import psycopg

from jobs.tasks import TASKS

CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 60_000
CALL_SECONDS = 30.0
MODEL = "text-embedding-ada-002"


def embed(texts: list[str]) -> list[list[float]]:
    """One vector a text, from the OpenAI-compatible API of the environment."""
    client = openai.OpenAI(
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ.get("OPENAI_BASE_URL") or None,
        timeout=CALL_SECONDS,
        max_retries=2,
    )
    answer = client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
    return [list(item.embedding) for item in sorted(answer.data, key=lambda item: item.index)]


def main() -> int:
    """Run the job named by the only argument."""
    if len(sys.argv) != 2 or sys.argv[1] not in TASKS:  # noqa: PLR2004 - program and name
        print(f"usage: python -m jobs {'|'.join(TASKS)}", file=sys.stderr)
        return 2
    name = sys.argv[1]
    try:
        done = run(name)
    except (psycopg.Error, openai.OpenAIError, KeyError) as error:
        # The class names the cause; the text may hold an address with a password.
        state = f" ({error.sqlstate})" if isinstance(error, psycopg.Error) and error.sqlstate else ""
        print(f"{name} failed: {type(error).__name__}{state}", file=sys.stderr)
        return 1
    print(json.dumps({"job": name, "tenants": len(done), "rows": sum(done.values())}))
    return 0


def run(name: str) -> dict[str, int]:
    """How many rows the job wrote, by tenant; one transaction each, tied to the tenant by its claims."""
    options = f"-c statement_timeout={STATEMENT_MILLISECONDS}"
    done: dict[str, int] = {}
    with psycopg.connect(
        os.environ["DATABASE_URL"], connect_timeout=CONNECT_SECONDS, options=options, autocommit=True
    ) as connection:
        tenants = [
            str(row[0]) for row in connection.execute("SELECT orka_audit.tenants_with_events()").fetchall()
        ]
        for tenant in tenants:
            claims = json.dumps({"role": "authenticated", "app_metadata": {"tenant_id": tenant}})
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('request.jwt.claims', %s, true)", [claims])
                done[tenant] = TASKS[name](cursor, tenant, embed)
    return done


if __name__ == "__main__":
    sys.exit(main())
