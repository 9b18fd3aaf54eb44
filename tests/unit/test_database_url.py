"""Nobody speaks to the database in plain text unless it is near: neither the admin nor a login."""

from __future__ import annotations

import pytest

from components.database import login_url, parse_admin_url
from model.faults import SettingsError, read_settings
from tests.unit.given import SECRETS, complete
from tests.unit.harness import SECRET_MARK, run_program

OUTSIDE = "postgresql://admin:hidden@db.example.com:5432/orka"


@pytest.mark.parametrize("host", ["db.example.com", "10.244.0.1", "database"])
def test_who_else_is_in_a_private_network_is_not_known(host: str) -> None:
    secrets = {**SECRETS, "database-admin-url": f"postgresql://a:hidden@{host}/x?sslmode=disable"}
    with pytest.raises(SettingsError) as refused:
        read_settings({}, secrets)
    assert [fault for fault in refused.value.faults if "lets all pass in plain text" in fault]


@pytest.mark.parametrize("password", ["hidden@tail", "hidden@@", "hidden@5432/tail"])
def test_an_at_sign_in_the_password_is_refused_before_libpq_takes_the_rest_for_a_host(password: str) -> None:
    secrets = {**SECRETS, "database-admin-url": f"postgresql://a:{password}@db.example.com/x"}
    with pytest.raises(SettingsError) as refused:
        read_settings({}, secrets)
    [fault] = [fault for fault in refused.value.faults if "database-admin-url" in fault]
    assert "percent-encode special characters of user and password" in fault
    assert not [part for part in ("hidden", "tail") if part in fault]


@pytest.mark.parametrize(
    "query",
    [
        *("sslmode=disable", "sslmode=allow", "sslmode=prefer", "sslmode=", "sslmode=no"),
        *("connect_timeout=3&ssl%6dode=disable", "sslmode=require&sslmode=disable"),
    ],
)
def test_plain_text_to_an_outside_host_is_refused_with_what_to_write(query: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({}, {**SECRETS, "database-admin-url": f"{OUTSIDE}?{query}"})
    [fault] = [fault for fault in refused.value.faults if "database-admin-url" in fault]
    assert "has an sslmode that lets all pass in plain text; write sslmode=require, or leave it out" in fault
    assert "hidden" not in fault


@pytest.mark.parametrize(
    "rest",
    [
        *("db.example.com/x", "db.example.com/x?sslmode=require", "db.example.com/x?sslmode=verify-full"),
        *("localhost/x?sslmode=disable", "127.0.0.1/x?sslmode=disable", "[::1]/x?sslmode=prefer"),
        *("10.244.0.1/x?sslmode=require", "db.data.svc.cluster.local/x?sslmode=disable"),
    ],
)
def test_plain_text_is_for_near_hosts_alone(rest: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({}, {**SECRETS, "database-admin-url": f"postgresql://a:hidden@{rest}"})
    assert not [fault for fault in refused.value.faults if "database-admin-url" in fault]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "sslmode=require"),
        ("?connect_timeout=3", "connect_timeout=3&sslmode=require"),
        ("?sslmode=verify-full&connect_timeout=3", "sslmode=verify-full&connect_timeout=3"),
    ],
)
def test_a_login_is_as_safe_as_the_admin_and_never_falls_back_to_plain_text(query: str, wanted: str) -> None:
    address = f"postgresql://orka_app_1:hidden@db.example.com:5432/orka?{wanted}"
    assert login_url(f"{OUTSIDE}{query}", "orka_app_1", "hidden") == address
    assert f"sslmode={parse_admin_url(f'{OUTSIDE}{query}').sslmode}" in wanted


def test_every_login_of_the_stack_says_so() -> None:
    admin = f"{SECRETS['database-admin-url']}?application_name=stack"
    run = run_program(complete(), {**SECRETS, "database-admin-url": admin})
    held = [run.one("Secret", name).inputs["stringData"] for name in ("backend", "jobs", "checks")]
    texts = [str(one["value"]) for one in held if one[SECRET_MARK]]
    assert [text.count("?application_name=stack&sslmode=require") for text in texts] == [1, 1, 1]
