"""Where the database's URL comes from, what happens when nothing answers, and what is never printed."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import unquote

import pytest

from model.plan import plan_from_files
from ops.migrate.connection import connect, target_from_environment
from ops.migrate.ledger import Entry, compare
from ops.migrate.redact import redact
from ops.migrate.unreachable import remedy
from tests.sql.support import Database, Server, ops

CANARY = "s3cr3t/canary?"
ENCODED = "s3cr3t%2Fcanary%3F"


@pytest.fixture
def closed_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def refused(server: Server) -> str:
    """A URL of a database that the server does not have."""
    return f"postgresql://postgres:{ENCODED}@/no_such_database?host={server.socket}"


def test_the_url_may_come_from_a_file(empty: Database, tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(empty.admin_url + "\n")
    assert ops(None, "apply", DATABASE_URL_FILE=str(file)).code == 0


def test_what_a_session_reads_after_a_lock_is_never_older_than_the_lock(empty: Database) -> None:
    with empty.connect() as connection:
        connection.execute(
            f"ALTER DATABASE {empty.name} SET default_transaction_isolation = 'serializable'".encode()
        )
    target = target_from_environment({"DATABASE_URL": empty.admin_url})
    with connect(target, 0) as session, session.transaction():
        assert session.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


@pytest.mark.parametrize(
    "setting",
    ["row_security = off", "quote_all_identifiers = on", "transaction_timeout = '150ms'"],
)
def test_what_is_set_on_the_database_changes_nothing_of_a_run(empty: Database, setting: str) -> None:
    if setting.startswith("transaction_timeout") and empty.value("SHOW server_version_num") < "17":
        pytest.skip("this server does not know it")
    empty.server.execute(f"ALTER DATABASE {empty.name} SET {setting}")
    for verb in ("apply", "verify"):
        run = ops(empty, verb)
        assert run.code == 0, run.err


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no database is named"),
        ({"DATABASE_URL": "postgresql://a/b", "DATABASE_URL_FILE": "/x"}, "both"),
        ({"DATABASE_URL_FILE": "/no/such/file"}, "DATABASE_URL_FILE cannot be read"),
        ({"DATABASE_URL": f"mysql://u:{ENCODED}@h/d"}, "must start with postgresql://"),
        ({"DATABASE_URL": f"postgresql://u:{ENCODED}@h/d?nonsense={ENCODED}"}, "cannot be parsed"),
        ({"DATABASE_URL": f"postgresql://u:{ENCODED}@h:6543/d"}, "pooler in transaction mode"),
    ],
)
def test_a_bad_setting_is_refused_in_one_line_without_the_secret(environ: dict[str, str], said: str) -> None:
    run = ops(None, "apply", **environ)
    assert run.code == 11
    assert said in run.err.splitlines()[0]
    assert_no_secret(run.out + run.err)


@pytest.mark.parametrize(
    "address",
    [
        "admin:Sup3r@S3cretTail@db.invalid/orka",
        "admin:Sup3r@S3cretTail@db.invalid/orka?sslmode=disable",
        "admin:Sup3r@@db.invalid/orka",
        "admin:Sup3r@S3cret:Tail@db.invalid/orka",
        "admin:Sup3r@1/S3cretTail@db.invalid/orka",
        "admin:S3cretHead/tail@db.invalid/orka",
        "admin:1/S3cretTail@db.invalid/orka",
        "admin:S3cretHead?a/b@db.invalid/orka",
        "admin:S3cretHead",
    ],
)
def test_no_part_of_a_password_that_is_not_encoded_is_taken_for_an_address(
    address: str, tmp_path: Path
) -> None:
    cause = tmp_path / "cause"
    url = f"postgresql://{address}"
    run = ops(url, "status", "--json", "--connect-wait", "0", TERMINATION_LOG=str(cause))
    assert run.code == 11
    assert run.json["cause"] == [
        "DATABASE_URL cannot be parsed: percent-encode special characters of user and password"
    ]
    assert not [part for part in ("Sup3r", "S3cret") if part in run.out + run.err + cause.read_text()]


@pytest.mark.parametrize("password", ["a:b", "a#b", "a?b=c", "a%40b%2Fc"])
def test_what_cannot_be_mistaken_needs_no_encoding(password: str) -> None:
    target = target_from_environment({"DATABASE_URL": f"postgresql://u:{password}@h1:1,[::1]:2/d?user=u@s"})
    assert target.password == unquote(password)


def test_a_database_that_does_not_answer_is_refused_after_the_wait(closed_port: int, tmp_path: Path) -> None:
    cause = tmp_path / "cause"
    url = f"postgresql://orka:{ENCODED}@127.0.0.1:{closed_port}/orka"
    run = ops(url, "apply", "--json", "--connect-wait", "0", TERMINATION_LOG=str(cause))
    assert (run.code, run.json["cause"][0]) == (11, "cannot connect to the database")
    assert "Connection refused" in cause.read_text()
    assert run.json["cause"][2:] == ["start the server, or correct host and port in the database's URL"]
    assert_no_secret(run.out + run.err + cause.read_text())


def test_a_host_that_does_not_exist_is_refused_after_the_wait() -> None:
    run = ops(f"postgresql://orka:{ENCODED}@no-such-host.invalid/orka", "apply", "--connect-wait", "0")
    assert run.code == 11
    assert "cannot connect to the database" in run.err
    assert "no-such-host.invalid" in run.err
    assert "correct the host in the database's URL" in run.err
    assert_no_secret(run.out + run.err)


def test_a_refusal_by_the_server_is_not_retried(refused: str) -> None:
    # A retry would outlast the suite's patience: the wait is an hour.
    run = ops(refused, "apply", "--connect-wait", "3600")
    assert run.code == 11
    assert "no_such_database" in run.err
    assert "make it by CREATE DATABASE" in run.err
    assert_no_secret(run.out + run.err)


@pytest.mark.parametrize("verb", ["status", "apply"])
def test_a_wrong_password_is_refused_at_once_and_not_shown(server: Server, verb: str) -> None:
    rules = Path(server.value("SHOW hba_file"))
    trusting = rules.read_text()
    server.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
    try:
        rules.write_text("local all guarded scram-sha-256\nlocal all kept_out reject\n" + trusting)
        server.execute("SELECT pg_reload_conf()")
        url = f"postgresql://guarded:{ENCODED}@/postgres?host={server.socket}"
        run = ops(url, verb, "--connect-wait", "3600")
        kept_out = ops(server.url("kept_out", "postgres"), verb)
    finally:
        rules.write_text(trusting)
        server.execute("SELECT pg_reload_conf()", "DROP ROLE guarded")
    assert run.code == 11
    assert "password authentication failed" in run.err
    assert "correct user and password in the database's URL" in run.err
    assert "let this client in by the server's pg_hba.conf" in kept_out.err
    assert_no_secret(run.out + run.err)


def test_a_server_that_is_silent_is_told_from_one_that_is_full(empty: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        run = ops(f"postgresql://127.0.0.1:{port}/d?connect_timeout=2", "status", "--connect-wait", "0")
    assert "open the way to host and port" in run.err
    empty.server.execute(f"ALTER DATABASE {empty.name} CONNECTION LIMIT 0", "CREATE ROLE crowd LOGIN")
    try:
        run = ops(empty.server.url("crowd", empty.name), "status")
    finally:
        empty.server.execute("DROP ROLE crowd")
    assert "end sessions that nobody needs" in run.err


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            'FATAL:  no pg_hba.conf entry for host "::1", user "u", database "d", SSL encryption',
            "pg_hba",
        ),
        ('server certificate for "a" does not match host name "b"', "TLS needs"),
        ("FATAL:  the database system is starting up", "--connect-wait"),
        ('"::1" failed: Connection refused; "127.0.0.1" failed: FATAL: role "u" does not exist', "user and"),
        ("FATAL:  something else", "the server's log"),
    ],
)
def test_what_a_server_said_goes_before_what_its_other_addresses_did(message: str, said: str) -> None:
    assert said in remedy(message)


def test_an_unwritable_termination_log_does_not_hide_the_cause(tmp_path: Path) -> None:
    run = ops(None, "apply", TERMINATION_LOG=str(tmp_path / "no" / "folder"))
    assert run.code == 11
    assert "no database is named" in run.err


def test_the_password_is_hidden_in_all_its_spellings() -> None:
    secret = "p@ss w/rd"
    text = "p@ss w/rd p%40ss%20w%2Frd p%40ss+w%2Frd password=other password = 'two words' postgres://u:p@h/d"
    hidden = redact(text, (secret,))
    for spelling in ("p@ss", "p%40ss", "other", "two", "u:p@h"):
        assert spelling not in hidden


def test_an_empty_password_hides_nothing() -> None:
    assert redact("as it was", ("",)) == "as it was"


def test_the_ledger_and_the_files_are_compared_without_a_database() -> None:
    plan = plan_from_files(
        {"023_a/up.sql": "1", "025_b/up.sql": "2", "contract.yaml": "", "behaviour.yaml": ""}
    )
    first, second = plan.migrations

    def entry(version: str, sha256: str) -> Entry:
        return Entry(version, "x", sha256, "", "")

    nothing = compare(plan, [])
    assert (nothing.pending, nothing.later, nothing.tampered) == ((first, second), (), ())
    half = compare(plan, [entry("023", first.sha256)])
    assert (half.applied, half.pending) == ((first,), (second,))
    newer = compare(plan, [entry("023", first.sha256), entry("025", second.sha256), entry("026", "f")])
    assert ([e.version for e in newer.later], newer.pending, newer.tampered) == (["026"], (), ())
    edited = compare(plan, [entry("023", "other")])
    assert "023_a/up.sql was changed" in edited.tampered[0]
    unknown = compare(plan, [entry("023", first.sha256), entry("024", "f")])
    assert "the ledger has 024" in unknown.tampered[0]
    late = compare(plan, [entry("025", second.sha256)])
    assert "023 (a) is pending though 025 is applied" in late.disorder[0]


def assert_no_secret(text: str) -> None:
    for spelling in (CANARY, ENCODED):
        assert spelling not in text
