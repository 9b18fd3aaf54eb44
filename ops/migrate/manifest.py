"""The record beside a backup: what it holds, how that was proved, and of which state of the database."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "manifest.json"
_BLOCK = 1 << 20


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableContent(_Strict):
    """What was in one table."""

    rows: int
    checksum: str


class DumpFile(_Strict):
    """The dump, in the folder of the manifest."""

    name: str
    bytes: int
    sha256: str
    pg_dump: int
    """Major version of the program that wrote it."""


class LedgerEntry(_Strict):
    """One applied migration."""

    version: str
    sha256: str
    applied_at: str


class Manifest(_Strict):
    """A proven backup. `dump` is None where there was no table yet."""

    form: Literal[1] = 1
    taken_at: str
    database: str
    server_version: int
    tables: dict[str, TableContent]
    ledger: tuple[LedgerEntry, ...]
    fingerprint: str
    """Of the catalog at that time."""
    dump: DumpFile | None
    proved: str
    """How the dump was proved."""


def write(manifest: Manifest, folder: Path) -> Path:
    """Write it at once or not at all: a manifest that exists is whole."""
    partial = folder / f".{MANIFEST}"
    partial.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return partial.rename(folder / MANIFEST)


def read(path: Path) -> Manifest:
    """Read a manifest and check the dump beside it; REFUSED where either is not as it was written."""
    try:
        manifest = Manifest.model_validate_json(path.read_text(encoding="utf-8"))
        dump = path.with_name(manifest.dump.name) if manifest.dump else None
        actual = file_sha256(dump) if dump else None
    except OSError as error:
        raise MigrateError(
            ExitCode.REFUSED, f"the backup cannot be read: {error.filename}: {error.strerror}"
        ) from None
    except (ValidationError, UnicodeDecodeError):
        raise MigrateError(ExitCode.REFUSED, f"{path} is not the manifest of a backup") from None
    if manifest.dump and actual != manifest.dump.sha256:
        raise MigrateError(ExitCode.REFUSED, f"{dump} is not the file that was proved: its checksum differs")
    return manifest


def file_sha256(path: Path) -> str:
    """SHA-256 in hex of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
