"""`ops secrets` against a pulumi that records what it is told."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.cli import main
from ops.secrets.envfile import EnvFileError, parse
from tests.unit.harness import SECRETS

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = """# Database
DATABASE_URL=postgresql://user:pass@staging-db.supabase.co:5432/postgres
SUPABASE_KEY=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...
REDIS_PASSWORD=staging_redis_password
ENCRYPTION_KEY=staging_encryption_key_32_bytes_long
LOG_LEVEL=INFO
"""


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pulumi that writes its arguments and its standard input into files."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "pulumi"
    program.write_text('#!/bin/sh\nfor last; do :; done\necho "$@" >> "$0.argv"\ncat > "$0.$last"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return program


def test_the_guides_own_placeholders_are_refused_all_at_once_and_nothing_is_set(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".env.staging"
    file.write_text(GUIDE)
    assert main(["secrets", "import", str(file)]) == 1
    told = capsys.readouterr().err
    for name in ("DATABASE_URL", "SUPABASE_KEY", "REDIS_PASSWORD", "ENCRYPTION_KEY"):
        assert name in told
    assert "user:pass@" not in told
    assert not pulumi.with_name("pulumi.argv").exists()


def test_good_values_are_set_by_standard_input_and_never_shown(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "env"
    hostile = "pa'ss\"wörd # $HOME `id` \\"
    quoted = hostile.replace("\\", "\\\\").replace('"', '\\"')
    file.write_text(f'DATABASE_URL={SECRETS["database-admin-url"]}\nREDIS_PASSWORD="{quoted}" # a comment\n')
    assert main(["secrets", "import", str(file)]) == 0
    assert pulumi.with_name("pulumi.orka-ppm:redis-password").read_text() == hostile
    argv = pulumi.with_name("pulumi.argv").read_text()
    shown = capsys.readouterr()
    for secret in (hostile, "canary-admin"):
        assert secret not in argv
        assert secret not in shown.out + shown.err


def test_a_refusing_pulumi_is_reported_without_the_value(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.write_text('#!/bin/sh\nread value\necho "error: cannot set $value" >&2\nexit 1\n')
    file = tmp_path / "env"
    file.write_text("REDIS_PASSWORD=canary-value\n")
    assert main(["secrets", "import", str(file)]) == 3
    assert "canary-value" not in capsys.readouterr().err


def test_generated_keys_are_accepted_by_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", "generate"]) == 0
    file = tmp_path / "env"
    file.write_text(capsys.readouterr().out)
    assert main(["secrets", "check", str(file)]) == 0


def test_a_faulty_line_is_named_by_its_number_without_its_text() -> None:
    with pytest.raises(EnvFileError, match="line 2") as raised:
        parse("A=1\nREDIS_PASSWORD='canary\n")
    assert "canary" not in str(raised.value)


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40))
def test_every_value_survives_double_quotes(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'NAME="{quoted}"') == {"NAME": value}
