"""Reads and writes the guide's `.env.staging` format: NAME=value lines. No shell is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Before any other character a backslash in double quotes stands for itself.
_ESCAPE = re.compile(r'\\(["\\$`n])')
_ESCAPED = re.compile(r'["\\$`\n]')
_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=(?P<value>.*)", re.DOTALL)


class EnvFileError(ValueError):
    """A line cannot be read; the message has its number and never its value."""


def parse(text: str) -> dict[str, str]:
    r"""The variables by name; the last of two lines with one name wins, as in a shell.

    A value in single quotes is taken as it is; in double quotes a backslash before a quote, a backslash, `$`
    or a backtick is dropped, as by a shell, and any other stays; without quotes the value ends at ` #`.
    A shell differs in this: `\n` in double quotes is no newline to it; it expands `$NAME` and runs commands,
    which are kept as they are here; without quotes it drops backslashes, and ends at a blank; and its values
    may span lines.

    Raises:
        EnvFileError: with every faulty line.
    """
    found: dict[str, str] = {}
    faults = []
    # Not `splitlines`, which also ends a line at characters that a value may hold.
    for number, ended in enumerate(text.split("\n"), start=1):
        line = ended.removesuffix("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        value = _value(match["value"]) if match else None
        if match is None or value is None:
            faults.append(f"line {number}: expected NAME=value, with matching quotes if any")
        else:
            found[match["name"]] = value
    if faults:
        raise EnvFileError("; ".join(faults))
    return found


def render(variables: Mapping[str, str]) -> str:
    """Lines that `parse` reads back, and that a shell reads alike unless a value has several lines."""
    return "".join(f'{name}="{_ESCAPED.sub(_escape, value)}"\n' for name, value in variables.items())


def _escape(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else f"\\{match[0]}"


def _value(written: str) -> str | None:
    text = written.strip()
    if text[:1] == "'":
        inner, end, rest = text[1:].partition("'")
        return inner if end and _is_comment(rest) else None
    if text[:1] == '"':
        match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"(.*)', text, re.DOTALL)
        if match is None or not _is_comment(match[2]):
            return None
        return _ESCAPE.sub(lambda escaped: "\n" if escaped[1] == "n" else escaped[1], match[1])
    # As it was written: what follows `= #` is a comment too.
    return re.split(r"\s#", written, maxsplit=1)[0].strip()


def _is_comment(rest: str) -> bool:
    """Whether a comment at most follows the quote, set off by blanks: `'a'#b` is one word to a shell."""
    return re.fullmatch(r"\s*|\s+#.*", rest, re.DOTALL) is not None
