"""`ops secrets` against a pulumi that records what it is told."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.faults import read_settings
from model.secrets import SECRETS as SPECS
from model.settings import Settings
from model.variables import SETTING_OF, plain
from ops.cli import main
from ops.secrets import command
from ops.secrets.envfile import EnvFileError, parse, render
from tests.unit.given import SECRETS, complete

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
    assert all(line.startswith("ops secrets: ") for line in told.splitlines())
    assert "4 values are refused; nothing was set" in told
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


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("JWT_SECRET=short\n", 1, "1 value is refused; nothing was set"),
        ("LOG_LEVEL=INFO\n", 1, "holds none of DATABASE_URL"),
        ("JWT_SECRET='\n", 2, "line 1"),
        (None, 2, "cannot be read: FileNotFoundError"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_told_in_the_commands_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, code: int, told: str
) -> None:
    file = tmp_path / "env"
    if text is not None:
        file.write_text(text)
    assert main(["secrets", "check", str(file)]) == code
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("ops secrets: ") for line in lines)
    assert told in lines[-1]


def test_a_refusing_pulumi_is_reported_without_the_value(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.write_text('#!/bin/sh\nread value\necho "error: cannot set $value" >&2\nexit 1\n')
    file = tmp_path / "env"
    file.write_text("REDIS_PASSWORD=canary-value\n")
    assert main(["secrets", "import", str(file)]) == 3
    assert "canary-value" not in capsys.readouterr().err


def test_what_is_no_secret_is_named_with_its_setting_and_not_shown(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "env"
    public = f"NEXT_PUBLIC_SUPABASE_ANON_KEY={SECRETS['supabase-key']}"
    lines = ["REDIS_PASSWORD=canary-value", "LOG_LEVEL=CANARY", "OWN=x", "NEXT_PUBLIC_THEME=dark", public]
    file.write_text("\n".join(lines))
    assert main(["secrets", "import", str(file)]) == 0
    told = capsys.readouterr().err
    for named in (
        "LOG_LEVEL (backend.log-level), OWN (backend.env.OWN), NEXT_PUBLIC_THEME (the image's build)",
        "NEXT_PUBLIC_SUPABASE_ANON_KEY (the secret supabase-key)",
    ):
        assert named in told
    assert "canary" not in told.lower()
    assert pulumi.with_name("pulumi.argv").read_text().count("\n") == 1


def test_every_variable_that_a_setting_makes_has_its_setting() -> None:
    settings = read_settings({key: json.dumps(value) for key, value in complete().items()}, SECRETS)
    assert set(plain(settings)) <= set(SETTING_OF)
    schema = Settings.model_json_schema(by_alias=True)
    for path in SETTING_OF.values():
        place = schema
        for key in () if path == "the secret supabase-key" else path.split("."):
            place = place["properties"][key]
            place = schema["$defs"][place["$ref"].rpartition("/")[2]] if "$ref" in place else place


@pytest.mark.parametrize("verb", ["import", "check"])
def test_a_service_key_that_every_browser_would_read_is_refused(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    file = tmp_path / "env"
    service = SECRETS["supabase-service-key"]
    file.write_text(f"REDIS_PASSWORD=canary-value\nNEXT_PUBLIC_SUPABASE_ANON_KEY={service}\n")
    assert main(["secrets", verb, str(file)]) == 1
    told = capsys.readouterr().err
    assert "NEXT_PUBLIC_SUPABASE_ANON_KEY would give every browser a JWT of the role service_role" in told
    assert service not in told
    assert not pulumi.with_name("pulumi.argv").exists()


def test_a_pulumi_that_hangs_is_reported_with_what_was_set_before(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "TIMEOUT_S", 3)
    pulumi.write_text('#!/bin/sh\ncase "$*" in *jwt-secret*) exec sleep 30 ;; esac\n')
    file = tmp_path / "env"
    file.write_text(f"REDIS_PASSWORD=canary-value\nJWT_SECRET={SECRETS['jwt-secret']}\n")
    assert main(["secrets", "import", str(file)]) == 3
    told = capsys.readouterr().err
    assert "orka-ppm:jwt-secret: pulumi did not answer within 3 s" in told
    assert "set before: orka-ppm:redis-password" in told


def test_generated_keys_are_accepted_by_the_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["secrets", "generate"]) == 0
    file = tmp_path / "env"
    file.write_text(capsys.readouterr().out)
    assert main(["secrets", "check", str(file)]) == 0


def test_a_faulty_line_is_named_by_its_number_without_its_text() -> None:
    with pytest.raises(EnvFileError, match="line 2") as raised:
        parse("A=1\nREDIS_PASSWORD='canary\n")
    assert "canary" not in str(raised.value)


# All but halves of a character, which no file can hold.
HOSTILE = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(value=HOSTILE)
def test_every_value_survives_the_way_out_and_in(value: str) -> None:
    assert parse(render({"NAME": value, "NEXT": "x"})) == {"NAME": value, "NEXT": "x"}


def shell(text: str) -> str:
    """What a shell makes of NAME in a file with this text."""
    command = ["sh", "-c", '. /dev/stdin; printf %s "$NAME"']
    return subprocess.run(
        command, input=text.encode(), capture_output=True, timeout=10, check=True
    ).stdout.decode()


@pytest.mark.parametrize("value", ["$HOME `id` \\ \"quoted\" 'single' #", "\\n", "a\u2028b\x85c", "€ !*?~"])
def test_a_shell_reads_what_was_written(value: str) -> None:
    assert shell(render({"NAME": value})) == value


def within(forbidden: str) -> st.SearchStrategy[str]:
    """Any character that people may type between quotes, but for a line's end and these."""
    return st.characters(exclude_categories=["Cs"], exclude_characters=f"\0\n{forbidden}")


# Without their backslash a shell expands what follows `$`, and runs what stands between backticks.
ESCAPES = st.one_of(st.sampled_from('"\\$`n'), within("")).map("\\{}".format)
DOUBLE = st.lists(st.one_of(within('"\\$`'), ESCAPES), max_size=20).map(lambda parts: f'"{"".join(parts)}"')
SINGLE = st.text(within("'"), max_size=40).map("'{}'".format)


@given(quoted=st.one_of(DOUBLE, SINGLE), end=st.sampled_from(["", " ", " # a comment", "\t#'\""]))
@example(quoted='"ab\\cd"', end="")
@example(quoted='"\\n"', end="")
def test_what_was_quoted_by_hand_is_read_as_a_shell_reads_it_but_for_the_newline(
    quoted: str, end: str
) -> None:
    line = f"NAME={quoted}{end}\n"
    read = parse(line)
    # There is no other way to a newline in one line.
    assert read["NAME"].replace("\n", "\\n") == shell(line)
    assert parse(render(read)) == read


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=word # a comment", "word"),
        ("NAME= # not yet", ""),
        ("NAME=#word", "#word"),
        ("NAME=a#b", "a#b"),
    ],
)
def test_a_comment_after_a_value_without_quotes_is_a_shells(line: str, value: str) -> None:
    assert parse(line)["NAME"] == shell(line) == value


@pytest.mark.parametrize("line", ["NAME='canary'#x", 'NAME="canary"x'])
def test_what_follows_a_quote_without_a_blank_is_refused(line: str) -> None:
    with pytest.raises(EnvFileError, match="line 1"):
        parse(line)


def test_a_backslash_typed_by_hand_is_set_checked_exported_and_set_again(
    pulumi: Path, tmp_path: Path
) -> None:
    file, exported, value = tmp_path / "env", tmp_path / "exported", "canary\\value"
    file.write_text(f'REDIS_PASSWORD="{value}"\n')
    assert main(["secrets", "check", str(file)]) == 0
    assert main(["secrets", "import", str(file)]) == 0
    kept = pulumi.with_name("pulumi.orka-ppm:redis-password")
    assert kept.read_text() == value
    known = pulumi.with_name("answer.json")
    known.write_text(json.dumps({"orka-ppm:redis-password": {"value": kept.read_text(), "secret": True}}))
    setting = pulumi.read_text()
    pulumi.write_text(f"#!/bin/sh\ncat {known}\n")
    assert main(["secrets", "export", "--show-secrets", "--to", str(exported)]) == 0
    pulumi.write_text(setting)
    kept.unlink()
    assert main(["secrets", "import", str(exported)]) == 0
    assert kept.read_text() == value


@pytest.fixture
def stored(pulumi: Path) -> dict[str, str]:
    """A pulumi that holds secrets, hostile ones among them."""
    values = {**SECRETS, "redis-password": "pa'ss\"wörd # $HOME `id` \\ \u2028 \r\n end"}
    shown = {f"orka-ppm:{key}": {"value": value, "secret": True} for key, value in values.items()}
    answer = pulumi.with_name("answer.json")
    answer.write_text(json.dumps({**shown, "orka-ppm:redis": {"value": "{}"}}))
    pulumi.write_text(f"#!/bin/sh\ncat {answer}\n")
    return values


def test_what_is_exported_can_be_imported_again(
    stored: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".env.staging"
    assert main(["secrets", "export", "--show-secrets", "--to", str(file)]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    variables = parse(file.read_bytes().decode())
    assert variables == {spec.variable: stored[spec.key] for spec in SPECS if spec.key in stored}
    shown = capsys.readouterr()
    assert "canary" not in shown.out + shown.err
    assert main(["secrets", "check", str(file)]) == 0


@pytest.mark.usefixtures("stored")
def test_an_export_is_refused_without_its_flag_to_a_screen_and_over_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    there.write_text("kept")
    assert main(["secrets", "export", "--to", str(tmp_path / "new")]) == 2
    assert main(["secrets", "export", "--show-secrets", "--to", str(there)]) == 2
    with monkeypatch.context() as patched:
        patched.setattr(sys.stdout, "isatty", lambda: True)
        assert main(["secrets", "export", "--show-secrets"]) == 2
    shown = capsys.readouterr()
    assert "add --show-secrets" in shown.err
    assert "do not belong on a screen" in shown.err
    assert "File exists" in shown.err
    assert "canary" not in shown.out + shown.err
    assert (there.read_text(), (tmp_path / "new").exists()) == ("kept", False)


def test_a_refusing_pulumi_leaves_no_file(
    pulumi: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi.write_text("#!/bin/sh\necho 'error: incorrect passphrase' >&2\nexit 1\n")
    file = tmp_path / "env"
    assert main(["secrets", "export", "--show-secrets", "--to", str(file)]) == 3
    assert "incorrect passphrase" in capsys.readouterr().err
    assert not file.exists()
