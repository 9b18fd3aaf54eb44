"""The index of embeddings finds the nearest ones; the original's, built while there were none, does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sql.originals import FIXTURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from tests.sql.support import Database

INDEX = "idx_audit_embeddings_vector"
ROWS, QUERIES, NEIGHBOURS, DIMENSIONS = 2_000, 20, 10, 1536
WANTED = 0.95
# Around a hundred topics in every direction, as texts lie, and not all in one corner of the space.
_FILL = f"""
    SELECT setseed(0.023);
    CREATE TEMP TABLE topics AS
        SELECT topic, (SELECT array_agg(random() - 0.5 + (topic + d) * 0)
                       FROM generate_series(1, {DIMENSIONS}) AS d) AS centre
        FROM generate_series(0, 99) AS topic;
    CREATE TEMP TABLE texts AS
        SELECT n AS id, (SELECT array_agg(x + (random() - 0.5) * (1 + n * 0)) FROM unnest(t.centre) AS x)
            ::public.vector({DIMENSIONS}) AS embedding
        FROM generate_series(1, {ROWS}) AS n JOIN topics AS t ON t.topic = n % 100
"""
_NEAREST = f"""
    SELECT id FROM pg_temp.searched
    ORDER BY embedding <=> (SELECT embedding FROM pg_temp.texts WHERE id = %s) LIMIT {NEIGHBOURS}
"""


@pytest.fixture
def texts(migrated: Database) -> Iterator[psycopg.Connection]:
    """A session with texts to search in; nothing of it stays."""
    with migrated.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(_FILL.encode())
        yield connection


def recall(connection: psycopg.Connection, definition: str) -> float:
    """Share of the true nearest texts that an index finds which was built before there were any."""
    connection.execute(b"CREATE TEMP TABLE searched (id bigint, embedding public.vector(1536))")
    before, _, after = definition.partition(" ON public.audit_embeddings ")
    connection.execute(f"{before} ON pg_temp.searched {after}".encode())
    connection.execute(b"INSERT INTO pg_temp.searched SELECT id, embedding FROM pg_temp.texts")
    found = 0
    for text in range(1, QUERIES + 1):
        true, by_index = (_nearest(connection, text, method) for method in ("indexscan", "seqscan"))
        assert len(true) == NEIGHBOURS
        found += len(true & by_index)
    connection.execute(b"DROP TABLE pg_temp.searched")
    return found / (QUERIES * NEIGHBOURS)


def _nearest(connection: psycopg.Connection, text: int, without: str) -> set[int]:
    connection.execute(f"SET LOCAL enable_{without} = off".encode())
    found = {row[0] for row in connection.execute(_NEAREST.encode(), (text,))}
    connection.execute(f"SET LOCAL enable_{without} = on".encode())
    return found


def test_an_index_that_was_there_before_the_texts_finds_the_nearest_of_them(
    texts: psycopg.Connection,
) -> None:
    query = "SELECT pg_get_indexdef(%s::regclass)"
    (ours,) = texts.execute(query.encode(), (f"public.{INDEX}",)).fetchone() or ("",)
    script = (FIXTURES / "original_023.sql").read_text()
    original = next(line for line in script.splitlines() if line.startswith(f"CREATE INDEX {INDEX} "))
    shares = recall(texts, ours), recall(texts, original.rstrip(";"))
    assert shares[0] >= WANTED > shares[1], shares
