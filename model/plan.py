"""The migration plan: what a folder of SQL says should be applied, known without any connection.

The stack renders it into a ConfigMap and puts its checksums into the release id; the runner applies it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

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
Kind: TypeAlias = Literal["tx", "concurrent", "backfill"]
_KINDS = get_args(Kind)
_FOLDER = re.compile(r"(?P<version>\d{3})_(?P<name>[a-z0-9]+(?:_[a-z0-9]+)*)")
_STEP_FILE = re.compile(r"\d{2}_[a-z0-9]+(?:_[a-z0-9]+)*\.sql")
_KIND_LINE = re.compile(r"-- step: (\S+)\s*")
# Stands in a comment of any of the steps' files; the older program reads it off the ledger.
_INCOMPATIBLE = re.compile(r"^--[ \t]*incompatible-with-older:[ \t]*(?P<reason>.*?)[ \t]*$", re.MULTILINE)
_WHOLE = "up.sql"
# Read by other verbs than `apply`.
_NOT_STEPS = {_WHOLE, "down.sql"}
_REHEARSAL, _UNDO, _DOWN = "adopt/rehearsal.sql", "adopt/undo.sql", "adopt/down.sql"
# Only included by others, as is `up.sql`.
_PART = "adopt/_"


class PlanError(ValueError):
    """The folder of SQL is not in order; the message says what to change."""


class Step(BaseModel):
    """One file of a migration.

    `tx` is one transaction; `concurrent` runs its statements outside of any; `backfill` repeats them, a
    transaction each time, until the last of them does less than a full batch.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    """Unique in its migration: `up`, `10_columns`, `adopt/20_copy`."""
    kind: Kind
    path: str
    """Relative to the folder of SQL."""
    sha256: str
    """Of the file's bytes, in hex."""


class Migration(BaseModel):
    """One version of the schema: the folder `NNN_name`."""

    model_config = ConfigDict(frozen=True)

    version: str
    """Three digits; the order of the versions is the order of application."""
    name: str
    path: str
    """Of `up.sql`, or of the folder where that holds steps; relative to the folder of SQL."""
    sha256: str
    """Of the bytes of `up.sql`, or over names and checksums of the steps, in hex."""
    steps: tuple[Step, ...]
    adoption: tuple[Step, ...] = ()
    """Instead of `steps`, on a database where the tables were made by hand (`adopt/`)."""
    rehearsal: str | None = None
    """Path of what makes what the adoption's last step will leave; run before it, and rolled back."""
    undo: str | None = None
    """Path of what takes back an adoption that stopped before its last step."""
    adopted_down: str | None = None
    """Path of what takes back an adoption that came to its end."""
    shapes: tuple[str, ...] = ()
    """Paths of the catalogs that the adoption recognises (`from/`)."""
    incompatible_with_older: str | None = None
    """Why a program that does not know this migration must not work on its schema; else none."""


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


def before(version: str) -> str:
    """The version to go back to where this one is to be taken back."""
    return f"{int(version) - 1:03}"


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
        migration = _migration(folder, files)
        if migration.version in migrations:
            taken = migrations[migration.version].name
            raise PlanError(f"{folder}: version {migration.version} is already taken by {taken}")
        migrations[migration.version] = migration
    if not migrations:
        raise PlanError("there is no migration: expected folders called NNN_name with an up.sql")
    return Plan(migrations=tuple(migrations.values()), files=dict(files))


def _migration(folder: str, files: Mapping[str, str]) -> Migration:
    match = _FOLDER.fullmatch(folder)
    if match is None:
        raise PlanError(f"{folder}: a migration's folder is called NNN_name, as in 023_audit_trail")
    own = sorted(path for path in files if path.startswith(f"{folder}/") and path.count("/") == 1)
    whole = f"{folder}/{_WHOLE}"
    parts = [path for path in own if path.rpartition("/")[2] not in _NOT_STEPS]
    if bool(parts) == (whole in files):
        fault = f"holds {_WHOLE} and also {parts[0]}" if parts else f"{whole} is missing"
        raise PlanError(f"{folder}: {fault}: give one {_WHOLE}, or steps called NN_name.sql")
    steps = [_step(path, "tx" if path == whole else None, files) for path in parts or [whole]]
    rehearsal, undo, down = (f"{folder}/{path}" for path in (_REHEARSAL, _UNDO, _DOWN))
    return Migration(
        version=match["version"],
        name=match["name"],
        path=whole if whole in files else folder,
        sha256=steps[0].sha256
        if whole in files
        else _sha256("".join(f"{s.sha256} {s.name}\n" for s in steps)),
        steps=tuple(steps),
        adoption=tuple(
            _step(path, None, files)
            for path in sorted(files)
            if _in(path, folder, "adopt")
            and path not in (rehearsal, undo, down)
            and not path.startswith(f"{folder}/{_PART}")
        ),
        rehearsal=rehearsal if rehearsal in files else None,
        undo=undo if undo in files else None,
        adopted_down=down if down in files else None,
        shapes=tuple(path for path in sorted(files) if _in(path, folder, "from")),
        incompatible_with_older=_incompatible([step.path for step in steps], files),
    )


def _incompatible(paths: list[str], files: Mapping[str, str]) -> str | None:
    """The reason that the files give, or none."""
    reasons = [(path, match["reason"]) for path in paths for match in _INCOMPATIBLE.finditer(files[path])]
    for path, reason in reasons:
        if not reason:
            raise PlanError(f"{path}: incompatible-with-older says no reason: write it after the colon")
    return "; ".join(reason for _, reason in reasons) or None


def _step(path: str, kind: Kind | None, files: Mapping[str, str]) -> Step:
    """One step; its kind stands in the first line of its file unless it is given."""
    folder, _, file = path.rpartition("/")
    if kind is None:
        if not _STEP_FILE.fullmatch(file):
            raise PlanError(f"{path}: a step's file is called NN_name.sql, as in 10_columns.sql")
        named = _KIND_LINE.fullmatch(files[path].split("\n", 1)[0])
        if named is None or named[1] not in _KINDS:
            raise PlanError(f"{path}: the first line says the kind: -- step: {' | '.join(_KINDS)}")
        kind = cast("Kind", named[1])
    inside = folder.partition("/")[2]
    name = file.removesuffix(".sql")
    return Step(
        name=f"{inside}/{name}" if inside else name, kind=kind, path=path, sha256=_sha256(files[path])
    )


def _in(path: str, folder: str, inner: str) -> bool:
    return path.startswith(f"{folder}/{inner}/")


def _read(sql_dir: Path) -> dict[str, str]:
    """Read the one place that touches the disk: the migrations' files, the contract and the behaviour.

    Names that start with a dot are left out: a mounted ConfigMap has such folders of its own.
    """
    if not sql_dir.is_dir():
        raise PlanError(f"{sql_dir} is not a folder: name the folder of SQL with --sql-dir")
    patterns = ("*.sql", "adopt/*.sql", "from/*.yaml")
    found = [sql_dir / name for name in _NEEDED]
    found += [path for one in patterns for path in sql_dir.glob(f"[!.]*/{one}")]
    return {
        path.relative_to(sql_dir).as_posix(): path.read_bytes().decode() for path in found if path.is_file()
    }


def _key(path: str) -> str:
    return path.replace("/", ".")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
