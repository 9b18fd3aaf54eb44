"""Finds passages of code that stand twice. Pure."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEAST = 6
"""How many lines make a passage."""


def code(text: str) -> list[tuple[int, str]]:
    """The lines that say what is done, by number, their spaces made one.

    Without blank lines, comments, docstrings and imports; and without signatures of several lines: what two
    functions are given alike is said by each.
    """
    left_out = {line for node in ast.walk(ast.parse(text)) for line in _lines_without_logic(node)}
    lines = enumerate(text.splitlines(), start=1)
    said = ((number, " ".join(re.sub(r"(^|\s)#.*", "", line).split())) for number, line in lines)
    return [(number, line) for number, line in said if line and number not in left_out]


def _lines_without_logic(node: ast.AST) -> Iterator[int]:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node.lineno
        case ast.FunctionDef() | ast.AsyncFunctionDef() if node.body[0].lineno - node.lineno > 1:
            yield from range(node.lineno, node.body[0].lineno)


def standing_twice(files: Mapping[str, str]) -> list[str]:
    """Where a passage of six lines stands that stood before, and where that was."""
    seen: dict[tuple[str, ...], str] = {}
    found = []
    for file, text in files.items():
        lines = code(text)
        for start in range(len(lines) - LEAST + 1):
            here = f"{file}:{lines[start][0]}"
            before = seen.setdefault(tuple(line for _, line in lines[start : start + LEAST]), here)
            if before != here:
                found.append(f"{before} = {here}")
    return found
