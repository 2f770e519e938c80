"""The picture for the README: how much dearer than native C each call is, on a logarithmic axis."""

from __future__ import annotations

import math
from html import escape

from .cases import INFO
from .measure import Result
from .report import NAMES

_LEFT, _EDGE, _RIGHT, _WIDTH = 240, 22, 52, 860
_TOP, _ROW, _BAR = 92, 27, 7
_STYLE = """
  .bg { fill: #ffffff; } .text { fill: #1f2328; } .dim { fill: #59636e; } .grid { stroke: #d1d9e0; }
  .one { stroke: #59636e; } .layer { fill: #0a7d4f; } .engine { fill: #b7791f; } .node { fill: #8792a2; }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #0d1117; } .text { fill: #e6edf3; } .dim { fill: #9198a1; } .grid { stroke: #2f353d; }
    .one { stroke: #9198a1; } .layer { fill: #3fb983; } .engine { fill: #d9a13b; } .node { fill: #6e7a8a; }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .title { font-size: 16px; font-weight: 600; }
  .value { font-size: 10px; font-variant-numeric: tabular-nums; } .strong { font-weight: 600; }
"""


def _text(x: float, y: float, text: str, kind: str = "text", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _value(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.0f}"


def draw(result: Result, variants: list[str]) -> str:
    """The text of the picture: a bar from 1 (native) to each variant's ratio; it follows light and dark."""
    shown = [name for name in ("layer", "engine", "node") if name in variants]
    rows = []
    for row in result.rows:
        if row.case.group == INFO:
            continue
        ratios = {name: ratio for name in shown if (ratio := result.to_native(row, name)) is not None}
        if ratios:
            rows.append((row.case.title, ratios))
    every = [ratio for _, ratios in rows for ratio in ratios.values()] or [1.0]
    low = math.floor(min(-1.0, math.log10(min(every))))
    high = math.ceil(max(1.0, math.log10(max(every))))
    span = _WIDTH - _LEFT - _EDGE - _RIGHT

    def x(ratio: float) -> float:
        return _LEFT + _EDGE + span * (math.log10(ratio) - low) / (high - low)

    bottom = _TOP + _ROW * len(rows) + 8
    out = [_text(20, 30, "A WASI call against the same call in native C", "text title")]
    out.append(
        _text(20, 50, f"native = 1, lower is better, logarithmic; median of {result.rounds} rounds", "dim")
    )
    at = 20.0
    for name in shown:
        mean = result.mean(name)
        label = NAMES[name] + (f" {mean:.2f}" if mean else "")
        out.append(f'<rect class="{name}" x="{at:.1f}" y="63" width="12" height="8" rx="2"/>')
        out.append(_text(at + 18, 71, label, "text strong" if name == "layer" else "text"))
        at += 48 + 6.6 * len(label)
    out.append(_text(at, 71, "(geometric mean of the kernel calls)", "dim"))
    for power in range(low, high + 1):
        where = x(10.0**power)
        out.append(_line(where, _TOP, where, bottom, "one" if power == 0 else "grid"))
        label = "native" if power == 0 else f"{10.0**power:g} x"
        out.append(_text(where, bottom + 16, label, "dim", "middle"))
    for index, (title, ratios) in enumerate(rows):
        top = _TOP + 6 + _ROW * index
        out.append(_text(_LEFT - 12, top + 12, title, "text", "end"))
        for place, (name, ratio) in enumerate(ratios.items()):
            y = top + place * _BAR
            start, end = sorted((x(1.0), x(ratio)))
            size = f'width="{max(end - start, 2.0):.1f}" height="{_BAR - 1}"'
            out.append(f'<rect class="{name}" x="{start:.1f}" y="{y}" {size} rx="2"/>')
            side = (end + 4, "start") if ratio >= 1 else (start - 4, "end")
            kind = "text value strong" if name == "layer" else "dim value"
            out.append(_text(side[0], y + 6, _value(ratio), kind, side[1]))
    height = bottom + 30
    size = f'width="{_WIDTH}" height="{height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size} '
        f'role="img" aria-label="Cost of WASI calls relative to native C">\n<style>{_STYLE}</style>\n'
        f'<rect class="bg" {size} rx="8"/>\n' + "\n".join(out) + "\n</svg>\n"
    )
