"""The migration plan: what a folder of SQL says should be applied, known without any connection.

The stack renders it into a ConfigMap and puts its checksums into the release id; the runner applies it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTRACT = "contract.yaml"
BEHAVIOUR = "behaviour.yaml"
REVIEW = "review.yaml"
_NEEDED = {
    CONTRACT: "what must exist after the last migration",
    BEHAVIOUR: "what the database must do for whom",
}
_FOLDER = re.compile(r"(?P<version>\d{3})_(?P<name>[a-z0-9]+(?:_[a-z0-9]+)*)")


class PlanError(ValueError):
    """The folder of SQL is not in order; the message says what to change."""


class Migration(BaseModel):
    """One step of the schema: `NNN_name/up.sql`."""

    model_config = ConfigDict(frozen=True)

    version: str
    """Three digits; the order of the versions is the order of application."""
    name: str
    path: str
    """Of `up.sql`, relative to the folder of SQL."""
    sha256: str
    """Of the bytes of `up.sql`, in hex."""


class Plan(BaseModel):
    """Everything the runner needs, in order."""

    model_config = ConfigDict(frozen=True)

    migrations: tuple[Migration, ...]
    files: dict[str, str]
    """Text by relative path: every migration's SQL, the contract and the behaviour."""

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 in hex by relative path, sorted by path."""
        return {path: _sha256(text) for path, text in sorted(self.files.items())}

    @property
    def latest(self) -> str:
        """Version of the last migration."""
        return self.migrations[-1].version

    @property
    def config_map_data(self) -> dict[str, str]:
        """Text by a key that a ConfigMap allows (it allows no `/`)."""
        return {_key(path): text for path, text in sorted(self.files.items())}

    @property
    def config_map_items(self) -> list[dict[str, str]]:
        """`items` of the ConfigMap's volume: they lay the files out in folders again."""
        return [{"key": _key(path), "path": path} for path in sorted(self.files)]


def load_plan(sql_dir: Path) -> Plan:
    """Read a folder of SQL; raise PlanError when it is not in order."""
    return plan_from_files(_read(sql_dir))


def plan_from_files(files: Mapping[str, str]) -> Plan:
    """Order the migrations among `files` (text by relative path) and check their names."""
    for name, purpose in _NEEDED.items():
        if name not in files:
            raise PlanError(f"{name} is missing: it says {purpose}")
    migrations: dict[str, Migration] = {}
    for folder in sorted({path.split("/")[0] for path in files if "/" in path}):
        match = _FOLDER.fullmatch(folder)
        if match is None:
            raise PlanError(f"{folder}: a migration's folder is called NNN_name, as in 023_audit_trail")
        version, path = match["version"], f"{folder}/up.sql"
        if path not in files:
            raise PlanError(f"{path} is missing")
        if version in migrations:
            raise PlanError(f"{folder}: version {version} is already taken by {migrations[version].name}")
        migrations[version] = Migration(
            version=version, name=match["name"], path=path, sha256=_sha256(files[path])
        )
    if not migrations:
        raise PlanError("there is no migration: expected folders called NNN_name with an up.sql")
    return Plan(migrations=tuple(migrations.values()), files=dict(files))


def _read(sql_dir: Path) -> dict[str, str]:
    """Read the one place that touches the disk: `*/*.sql`, the contract and the behaviour.

    Names that start with a dot are left out: a mounted ConfigMap has such folders of its own.
    """
    if not sql_dir.is_dir():
        raise PlanError(f"{sql_dir} is not a folder: name the folder of SQL with --sql-dir")
    found = [*(sql_dir / name for name in _NEEDED), *sql_dir.glob("[!.]*/*.sql")]
    return {
        path.relative_to(sql_dir).as_posix(): path.read_bytes().decode() for path in found if path.is_file()
    }


def _key(path: str) -> str:
    return path.replace("/", ".")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
