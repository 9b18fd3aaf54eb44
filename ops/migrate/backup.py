"""Back up the audit tables and prove it: the dump is restored into a scratch database and compared.

Dump, counts and checksums come from one snapshot, so writers go on meanwhile. The dump holds the tables and
their rows; functions, policies and rights come from the migrations, whose checksums stand in the manifest.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from ops.migrate import ledger, manifest, pg_tools
from ops.migrate.catalog import vector_schema
from ops.migrate.connection import connect
from ops.migrate.content import content, present, require_sight
from ops.migrate.fingerprint import fingerprint
from ops.migrate.manifest import DumpFile, LedgerEntry, Manifest, TableContent
from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.owner_rights import owner_rights
from ops.migrate.redact import describe
from ops.migrate.scratch import drop_leftovers, prepare, require_scratch, scratch_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ops.migrate.connection import Target
    from ops.migrate.pg_tools import Tools

DUMP = "audit.dump"
_SPARE_BYTES = 16 << 20
_CONNECT_SECONDS = 10.0
# Not by regclass: the admin need not have the right to look into the schemas.
_SIZE = """
    SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ANY(%s)
"""


def backup(
    connection: psycopg.Connection,
    target: Target,
    tables: list[str],
    directory: Path,
    say: Callable[[str], None],
) -> Path:
    """Back up those of `tables` that exist into a new folder of `directory`; the path of the manifest.

    The runner's lock must be held. Raises REFUSED, and leaves nothing in the directory, where anything is
    missing or does not match.
    """
    found = present(connection, tables)
    server = connection.info.server_version
    tools = None
    if found:
        tools = pg_tools.find_tools(server // 10_000)
        require_sight(connection)
        require_scratch(connection)
        for line in drop_leftovers(connection):
            say(f"warning: {line}")
    row = connection.execute(_SIZE, (found,)).fetchone()
    _require_space(directory, int(row[0]) if row else 0)
    folder = _new_folder(directory)
    try:
        with owner_rights(connection), connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _take_time(connection)
            taken_at = datetime.now(UTC).isoformat(timespec="seconds")
            entries = tuple(
                LedgerEntry(version=one.version, sha256=one.sha256, applied_at=one.applied_at)
                for one in ledger.read(connection)
            )
            name = fingerprint(connection)
            # Made before the checksums: `content` fixes settings for the rest of the transaction.
            held = content(connection, found)
            rows = sum(int(one["rows"]) for one in held.values())
            say(f"backup: dumping {rows} rows of {len(found)} tables")
            if tools:
                _dump(connection, target, tools, found, folder / DUMP)
        proved = "there was no table to dump"
        if tools:
            say("backup: restoring the dump into a scratch database and comparing")
            _prove(connection, target, tools, found, held, folder / DUMP)
            proved = "restored into a scratch database; rows and checksums of every table are the same"
        return manifest.write(
            Manifest(
                taken_at=taken_at,
                database=connection.info.dbname,
                server_version=server,
                tables={table: TableContent.model_validate(one) for table, one in held.items()},
                ledger=entries,
                fingerprint=name,
                dump=_file(folder / DUMP, tools) if tools else None,
                proved=proved,
            ),
            folder,
        )
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        notes = getattr(error, "__notes__", ())
        if isinstance(error, psycopg.Error):
            raise MigrateError(ExitCode.REFUSED, "the backup failed", *describe(error), *notes) from None
        if isinstance(error, OSError):
            fault = f"the backup failed: {folder}: {error.strerror}"
            raise MigrateError(ExitCode.REFUSED, fault, *notes) from None
        if isinstance(error, MigrateError):
            raise MigrateError(error.code, *error.lines, *notes) from None
        raise


def _take_time(connection: psycopg.Connection) -> None:
    """Lift the session's limits, which are meant for statements that hold locks, for this transaction."""
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        connection.execute("SELECT set_config(%s, '0', true)", (limit,))


def _dump(
    connection: psycopg.Connection, target: Target, tools: Tools, tables: list[str], file: Path
) -> None:
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    snapshot = str(row[0]) if row else ""
    arguments = [
        "--format=custom",
        "--compress=1",
        f"--snapshot={snapshot}",
        "--lock-wait-timeout=5s",
        f"--file={file}",
    ]
    pg_tools.run(tools, "pg_dump", [*arguments, *(f"--table={table}" for table in tables)], target)


def _prove(
    connection: psycopg.Connection,
    target: Target,
    tools: Tools,
    tables: list[str],
    held: dict[str, dict[str, int | str]],
    file: Path,
) -> None:
    """Restore tables and rows, without what hangs on them, and compare."""
    home = vector_schema(connection).strip('"')
    with (
        scratch_database(connection, partial(connect, target, _CONNECT_SECONDS)) as scratch,
        connect(target.of(scratch), _CONNECT_SECONDS) as other,
    ):
        prepare(other, {table.split(".")[0] for table in tables}, home)
        sections = ["--section=pre-data", "--section=data", "--no-owner", "--no-privileges"]
        pg_tools.run(
            tools,
            "pg_restore",
            [*sections, f"--dbname=dbname={scratch}", str(file)],
            target,
        )
        with other.transaction():
            _take_time(other)
            restored = content(other, tables)
    wrong = [table for table in tables if restored[table] != held[table]]
    if wrong:
        raise MigrateError(ExitCode.REFUSED, f"the restored dump differs in {', '.join(wrong)}")


def _require_space(directory: Path, size: int) -> None:
    """Before anything is done: the folder is there, can be written to, and has room for the tables."""
    try:
        with tempfile.TemporaryFile(dir=directory):
            free = shutil.disk_usage(directory).free
    except OSError as error:
        raise MigrateError(
            ExitCode.REFUSED, f"the backup cannot be written to {directory}: {error.strerror}"
        ) from None
    if free < size + _SPARE_BYTES:
        raise MigrateError(
            ExitCode.REFUSED,
            f"{directory} has {free >> 20} MiB free, the backup may need {(size + _SPARE_BYTES) >> 20} MiB",
        )


def _new_folder(directory: Path) -> Path:
    folder = directory / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}-{uuid4().hex[:6]}"
    try:
        folder.mkdir()
    except OSError as error:
        raise MigrateError(ExitCode.REFUSED, f"{folder} cannot be made: {error.strerror}") from None
    return folder


def _file(dump: Path, tools: Tools) -> DumpFile:
    return DumpFile(
        name=dump.name, bytes=dump.stat().st_size, sha256=manifest.file_sha256(dump), pg_dump=tools.major
    )
