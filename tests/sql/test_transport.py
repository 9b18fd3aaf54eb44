"""By TLS or not at all, unless the session stays on this machine or in the cluster."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from ops.migrate.connection import connect, target_from_environment
from ops.migrate.outcome import MigrateError
from tests.sql.support import Database, ops
from tests.sql.tls_front import tls_front

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SSL_REQUEST = struct.pack("!II", 8, 80877103)


def settled(address: str, **environ: str) -> dict[str, Any]:
    """The parts that libpq gets for an address."""
    target = target_from_environment({"DATABASE_URL": f"postgresql://u:p@{address}", **environ})
    assert target.conninfo not in repr(target)
    return conninfo_to_dict(target.conninfo)


@pytest.mark.parametrize(
    "address",
    [
        "db.example.com/d",
        "10.0.0.7/d",
        "db/d",
        "[2001:db8::1]/d",
        "/d?host=localhost,db.example.com",
        "localhost.example.com/d",
        "postgres.svc.example.com/d",
        "localhost/d?hostaddr=203.0.113.9",
    ],
)
def test_a_host_out_there_is_reached_by_tls_or_refused(address: str) -> None:
    assert settled(address)["sslmode"] == "require"
    sign = "&" if "?" in address else "?"
    assert settled(f"{address}{sign}sslmode=verify-full")["sslmode"] == "verify-full"
    for mode in ("disable", "allow", "prefer"):
        with pytest.raises(MigrateError, match=f"sslmode={mode} would talk to .* in plain text") as refused:
            settled(f"{address}{sign}sslmode={mode}")
        assert refused.value.code == 11
        assert "leave sslmode out" in str(refused.value)
        with pytest.raises(MigrateError, match="in plain text"):
            settled(address, PGSSLMODE=mode)


@pytest.mark.parametrize(
    "address",
    [
        "localhost/d",
        "127.0.0.1/d",
        "[::1]/d",
        "/d?host=/run/postgresql",
        "/d",
        "postgres.orka.svc/d",
        "postgres.orka.svc.cluster.local/d",
    ],
)
def test_this_machine_and_the_cluster_are_reached_as_the_url_says(address: str) -> None:
    assert "sslmode" not in settled(address)
    assert settled(f"{address}{'&' if '?' in address else '?'}sslmode=disable")["sslmode"] == "disable"


def test_a_host_of_the_environment_counts_too() -> None:
    assert settled("/d", PGHOST="db.example.com")["sslmode"] == "require"


def test_what_libpq_would_take_from_the_environment_is_settled_where_the_url_says_nothing() -> None:
    target = target_from_environment(
        {"DATABASE_URL": "postgresql://u@h/d", "PGPASSWORD": "canary", "PGUSER": "other", "PGPORT": "5433"}
    )
    parts = conninfo_to_dict(target.conninfo)
    assert (parts["user"], parts["password"], parts["port"]) == ("u", "canary", "5433")
    assert target.redact("it was canary") == "it was ***"


@pytest.mark.parametrize(("address", "environ"), [("/d", {"PGSERVICE": "x"}), ("/d?service=x", {})])
def test_a_service_which_pg_dump_would_not_get_is_refused(address: str, environ: dict[str, str]) -> None:
    with pytest.raises(MigrateError, match="named by a service") as refused:
        settled(address, **environ)
    assert refused.value.code == 11


# That they end a session on a silent network cannot be shown here: on this machine the kernel answers them.
def test_a_silent_network_ends_a_session_after_a_minute_unless_the_url_says_otherwise(
    empty: Database,
) -> None:
    names = ("keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    parts = settled("h/d?keepalives_idle=5")
    assert [parts[name] for name in names] == ["5", "10", "3", "60000"]
    with connect(target_from_environment({"DATABASE_URL": empty.admin_url}), 0) as session:
        given = session.info.get_parameters()
    assert [given[name] for name in names] == ["30", "10", "3", "60000"]


@pytest.mark.parametrize(("given", "used"), [(None, 10), (5, 5), (1, 2), (0, 60), (-1, 60), (3600, 60)])
def test_the_urls_connect_timeout_is_kept_within_bounds(given: int | None, used: int) -> None:
    assert settled(f"h/d?connect_timeout={given}" if given is not None else "h/d")["connect_timeout"] == str(
        used
    )


def test_a_connect_timeout_that_is_no_number_is_refused() -> None:
    with pytest.raises(MigrateError, match="connect_timeout of the database's URL must be a number"):
        settled("h/d?connect_timeout=soon")


@contextlib.contextmanager
def server_without_tls(heard: list[bytes]) -> Iterator[int]:
    """The port of a server that says that it has no TLS, and notes all that it is sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        heard.append(client.recv(8))
                        client.sendall(b"N")
                        heard.append(client.recv(1024))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def test_a_server_out_there_that_says_it_has_no_tls_learns_nothing() -> None:
    heard: list[bytes] = []
    with server_without_tls(heard) as port:
        url = f"postgresql://orka:canary@db.example.com:{port}/orka?hostaddr=127.0.0.1"
        run = ops(url, "status", "--connect-wait", "0")
    assert run.code == 11
    assert "SSL was required" in run.err
    assert "TLS needs a server that offers it" in run.err
    assert heard == [_SSL_REQUEST, b""]


def test_dump_and_restore_trust_the_same_authority(migrated: Database, tmp_path: Path) -> None:
    with tls_front(migrated.server.socket, tmp_path) as port:
        url = f"postgresql://postgres@localhost:{port}/{migrated.name}?sslmode=verify-full"
        backups = tmp_path / "backups"
        backups.mkdir()
        bad = ops(url, "backup", "--dir", str(backups), "--connect-wait", "0")
        run = ops(url, "backup", "--dir", str(backups), PGSSLROOTCERT=str(tmp_path / "front.pem"))
    assert (bad.code, run.code) == (11, 0), run.err
    assert "its authority in sslrootcert" in bad.err
