"""Latencies as inline SVG: a dot for each sample on a common scale, the last one marked. Pure."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW, _LEFT, _WIDTH, _RIGHT, _TOP = 26, 170, 560, 90, 30
_STEPS = (1, 2, 5)


def latencies(rows: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Return the chart: a line for each name, its samples in milliseconds as dots. Without rows, nothing."""
    kept = [(name, samples) for name, samples in rows if samples]
    if not kept:
        return ""
    top = nice(max(max(samples) for _, samples in kept))
    height = _TOP + _ROW * len(kept)
    whole = _LEFT + _WIDTH + _RIGHT
    lines = "".join(_line(index, name, samples, top) for index, (name, samples) in enumerate(kept))
    return (
        f'<svg viewBox="0 0 {whole} {height}" role="img" aria-label="latency of each check in milliseconds">'
        f"{_scale(top, height)}{lines}</svg>"
    )


def nice(most: int) -> int:
    """Return the end of a scale that holds `most`: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= most:
                return step * power
        power *= 10


def _scale(top: int, height: int) -> str:
    marks = []
    for quarter in range(5):
        x = _LEFT + _WIDTH * quarter / 4
        text = f"{top * quarter / 4:g} ms"
        marks.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height}"/>'
            f'<text class="mark" x="{x:.1f}" y="{_TOP - 12}" text-anchor="middle">{text}</text>'
        )
    return "".join(marks)


def _line(index: int, name: str, samples: Sequence[int], top: int) -> str:
    y = _TOP + _ROW * index + _ROW / 2
    places = [_LEFT + _WIDTH * sample / top for sample in samples]
    dots = "".join(f'<circle class="sample" cx="{x:.1f}" cy="{y}" r="4"/>' for x in places)
    last = f'<circle class="last" cx="{places[-1]:.1f}" cy="{y}" r="5"/>'
    bar = f'<line class="bar" x1="{_LEFT}" x2="{max(places):.1f}" y1="{y}" y2="{y}"/>'
    label = f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>'
    value = f'<text class="mark" x="{max(places) + 10:.1f}" y="{y + 4}">{samples[-1]} ms</text>'
    return label + bar + dots + last + value
