"""A job's own question to the database whether a run had its effect, as the stack file writes it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

BEGUN = "{begun}"
"""Where the moment stands at which the run began: what was there before is no effect of it."""

_EXAMPLE = f"SELECT count(*) FROM public.my_reports WHERE made_at >= {BEGUN}"  # noqa: S608 - shown
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_OTHER = re.compile(r";|--|/\*|['\"]|\bINTO\b", re.IGNORECASE)
_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)


def _one_select(text: str) -> str:
    bare = _QUOTED.sub(" ", text)
    if not _SELECT.match(bare) or _OTHER.search(bare) or not _closed(bare):
        message = f"expected one SELECT of one number, without `;`, comments and INTO, like {_EXAMPLE}"
        raise ValueError(message)
    if BEGUN not in bare:
        message = f"counts what stood there before the run too: count from {BEGUN} on, like {_EXAMPLE}"
        raise ValueError(message)
    return text


def _closed(bare: str) -> bool:
    """Whether no parenthesis ends what stands around the text."""
    depth = 0
    for letter in bare:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth < 0:
            return False
    return depth == 0


EffectQuery = Annotated[str, AfterValidator(_one_select)]


def as_row(text: str, begun: str) -> str:
    """The query of the one row that a check reads: its column `done` is whether the number is above 0."""
    # What is no parameter of the driver's is written twice.
    inner = text.replace("%", "%%").replace(BEGUN, begun)
    return f"SELECT coalesce(({inner}), 0) > 0 AS done"
