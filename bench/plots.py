"""Draw two kinds of plot as SVG text, without a library: latency over the share of requests, and bars."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

_WIDTH, _HEIGHT = 760, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 46, 46
# Colours that colour-blind people can distinguish, on light and dark pages (Okabe and Ito).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a000")
_SHARES = (0.5, 0.9, 0.99, 0.999)
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#555}.title{font-size:15px;font-weight:600}"
    "line{stroke:#999;stroke-opacity:.35}polyline{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)


def latency(title: str, curves: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Draw milliseconds (logarithmic) over the share of answered requests, stretched towards the slowest."""
    values = [ms for curve in curves.values() for share, ms in curve if ms > 0 and share >= 0.01]
    low, high = _decade(min(values), down=True), _decade(max(values), down=False)

    def x(share: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * -log10(1 - share) / 3

    def y(ms: float) -> float:
        return (
            _HEIGHT
            - _BOTTOM
            - (_HEIGHT - _TOP - _BOTTOM) * (log10(max(ms, low)) - log10(low)) / (log10(high) - log10(low))
        )

    parts = [_text(_LEFT, 24, title, "title")]
    for share in (0.0, *_SHARES):
        parts.append(_line(x(share), _TOP, x(share), _HEIGHT - _BOTTOM))
        parts.append(_text(x(share), _HEIGHT - 26, f"{share:.1%}".replace(".0%", "%"), middle=True))
    tick = low
    while tick <= high * 1.001:
        parts.append(_line(_LEFT, y(tick), _WIDTH - _RIGHT, y(tick)))
        parts.append(_text(8, y(tick) + 4, f"{tick:g} ms"))
        tick *= 10
    for number, (name, curve) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(f"{x(share):.1f},{y(ms):.1f}" for share, ms in curve)
        parts.append(f'<polyline points="{points}" stroke="{colour}"/>')
        parts += _legend(number, name, colour)
    parts.append(_text(_LEFT, _HEIGHT - 8, "share of requests answered by then"))
    return _svg(parts)


def bars(title: str, groups: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Draw groups of bars, one colour for each name within a group."""
    highest = max(value for group in groups.values() for value in group.values())
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    room = (_WIDTH - _LEFT - _RIGHT) / len(groups)
    wide = room * 0.8 / len(names)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / highest

    parts = [_text(_LEFT, 24, title, "title")]
    for step in range(5):
        parts.append(_line(_LEFT, y(highest * step / 4), _WIDTH - _RIGHT, y(highest * step / 4)))
        parts.append(_text(8, y(highest * step / 4) + 4, f"{highest * step / 4:,.0f}"))
    for place, (group, values) in enumerate(groups.items()):
        start = _LEFT + room * place + room * 0.1
        for number, name in enumerate(names):
            if name in values:
                top, left = y(values[name]), start + wide * number
                colour = _COLOURS[number % len(_COLOURS)]
                parts.append(
                    f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide * 0.9:.1f}" '
                    f'height="{_HEIGHT - _BOTTOM - top:.1f}" fill="{colour}"/>'
                )
                parts.append(_text(left + wide * 0.45, top - 5, f"{values[name]:,.0f}", middle=True))
        parts.append(_text(start + room * 0.4, _HEIGHT - 26, group, middle=True))
    for number, name in enumerate(names):
        parts += _legend(number, name, _COLOURS[number % len(_COLOURS)])
    parts.append(_text(_LEFT, _HEIGHT - 8, unit))
    return _svg(parts)


def _decade(value: float, *, down: bool) -> float:
    exponent = log10(value)
    return 10.0 ** (int(exponent // 1) if down else -int(-exponent // 1))


def _legend(number: int, name: str, colour: str) -> list[str]:
    top = _TOP + 20 * number
    left = _WIDTH - _RIGHT + 14
    return [f'<rect x="{left}" y="{top}" width="12" height="12" fill="{colour}"/>', _text(left + 18, top + 11, name)]


def _text(x: float, y: float, text: str, kind: str = "", *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor}{mark}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _svg(parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">'
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])
