"""The address that a login gets: the administrator's, as another user, and by TLS like it."""

from __future__ import annotations

import pytest

from components.database import login_url


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "sslmode=require"),
        ("?connect_timeout=5", "connect_timeout=5&sslmode=require"),
        ("?sslmode=verify-full&sslrootcert=/ca", "sslmode=verify-full&sslrootcert=/ca"),
    ],
)
def test_a_login_travels_by_tls_whatever_else_the_admin_url_says(query: str, expected: str) -> None:
    url = login_url(f"postgres://admin:x@db.example.com:5432/orka{query}", "orka_app_1", "p/w")
    assert url == f"postgresql://orka_app_1:p%2Fw@db.example.com:5432/orka?{expected}"
