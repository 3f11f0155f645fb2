"""Plots as SVG, the same on paper and on a screen: columns stacked over time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple
from xml.sax.saxutils import escape


class Ink(NamedTuple):
    """What a plot is drawn with."""

    text: str
    rule: str
    font: str
    colours: tuple[str, ...]


# Told apart in grey and by colour-blind readers: Okabe and Ito's, on paper and on dark screens.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c8c8c")
PAPER = Ink("#444444", "#dddddd", "Libertinus Serif", COLOURS)
SCREEN = Ink("currentColor", "var(--rule)", "inherit", COLOURS)

WIDTH, HEIGHT = 680, 210
LEFT, RIGHT, TOP, BOTTOM = 58, 6, 26, 24
STEPS = (1, 2, 5, 10)
LABELS_MOST = 12
LABEL_MOST = 37
SIZE = 11


def drawn(block: dict[str, Any], figures: dict[str, dict[str, Any]], ink: Ink) -> str:
    """Return a plot as SVG, with its title for who cannot see it."""
    return _FORMS[block["form"]](block, figures, ink)


def _stacked(block: dict[str, Any], figures: dict[str, dict[str, Any]], ink: Ink) -> str:
    series = [
        (each["name"], [float(Decimal(figures[f]["value"] or 0)) for f in each["figures"]])
        for each in block["series"]
    ]
    most = max(map(sum, zip(*(values for _, values in series), strict=True)))
    step = _step(most)
    top = step * max(1, -(-most // step)) if step else 1.0
    parts = [
        *_opening(block["title"], HEIGHT, ink),
        *_grid(top, step, ink),
        *_columns(series, top, ink),
        *_labels(block["labels"], ink),
        *_legend([name for name, _ in series], ink),
        "</svg>",
    ]
    return "".join(parts)


def _opening(title: str, height: int, ink: Ink) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="{ink.font}" font-size="{SIZE}">',
        f"<title>{escape(title)}</title>",
    ]


BAR, BARS_LEFT, BARS_RIGHT = 21, 245, 76


def _bars(block: dict[str, Any], figures: dict[str, dict[str, Any]], ink: Ink) -> str:
    """Draw bars one below the other, each with its amount."""
    values = [Decimal(figures[f]["value"] or 0) for f in block["series"][0]["figures"]]
    most = max(*values, Decimal(0)) if len(values) > 1 else values[0]
    parts = _opening(block["title"], BAR * len(values) + 6, ink)
    for at, (label, value) in enumerate(zip(block["labels"], values, strict=True)):
        y = BAR * at + 4
        wide = float(value / most) * (WIDTH - BARS_LEFT - BARS_RIGHT) if most else 0
        short = label if len(label) <= LABEL_MOST else label[: LABEL_MOST - 1] + "…"
        amount = f"${value:,.2f}" if value >= 1 or not value else f"${value:.6f}"
        parts += [
            f'<text x="{BARS_LEFT - 9}" y="{y + 12}" text-anchor="end" fill="{ink.text}">'
            f"{escape(short)}</text>",
            f'<rect x="{BARS_LEFT}" y="{y}" width="{wide:.1f}" height="15" rx="2" '
            f'fill="{ink.colours[0]}"/>',
            f'<text x="{BARS_LEFT + wide + 7:.1f}" y="{y + 12}" fill="{ink.text}">{amount}</text>',
        ]
    return "".join([*parts, "</svg>"])


_FORMS = {"columns": _stacked, "bars": _bars}


def _step(most: float) -> float:
    """Return the distance of some four rules, a round number."""
    if most <= 0:
        return 1.0
    power = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 10.0 ** -len(f"{1 / most:.0f}")
    return next(
        power * each / 1 for each in (0.25, 0.5, 1, 2, 2.5, 5) if most / (power * each) <= 4
    )


def _height(value: float, top: float) -> float:
    return (HEIGHT - TOP - BOTTOM) * value / top


def _grid(top: float, step: float, ink: Ink) -> list[str]:
    lines = []
    for number in range(round(top / step) + 1):
        y = HEIGHT - BOTTOM - _height(number * step, top)
        lines.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{ink.rule}" stroke-width="{1 if number else 1.5}"/>'
            f'<text x="{LEFT - 7}" y="{y + 4:.1f}" text-anchor="end" fill="{ink.text}">'
            f"{_amount(number * step, step)}</text>"
        )
    return lines


def _amount(value: float, step: float) -> str:
    places = 0 if step >= 1 else min(9, len(f"{1 / step:.0f}"))
    return f"${value:,.{places}f}"


def _columns(series: list[tuple[str, list[float]]], top: float, ink: Ink) -> list[str]:
    count = len(series[0][1])
    wide = (WIDTH - LEFT - RIGHT) / count
    bars = []
    for at in range(count):
        y, x = float(HEIGHT - BOTTOM), LEFT + wide * (at + 0.14)
        for number, (_, values) in enumerate(series):
            tall = _height(values[at], top)
            y -= tall
            colour = ink.colours[number % len(ink.colours)]
            bars.append(
                f'<rect x="{x:.1f}" y="{y:.2f}" width="{wide * 0.72:.1f}" height="{tall:.2f}" '
                f'fill="{colour}"/>'
            )
    return bars


def _labels(labels: list[str], ink: Ink) -> list[str]:
    wide, every = (WIDTH - LEFT - RIGHT) / len(labels), -(-len(labels) // LABELS_MOST)
    return [
        f'<text x="{LEFT + wide * (at + 0.5):.1f}" y="{HEIGHT - 7}" text-anchor="middle" '
        f'fill="{ink.text}">{escape(label)}</text>'
        for at, label in enumerate(labels)
        if at % every == 0
    ]


def _legend(names: list[str], ink: Ink) -> list[str]:
    parts, x = [], float(LEFT)
    for number, name in enumerate(names):
        colour = ink.colours[number % len(ink.colours)]
        parts.append(
            f'<rect x="{x:.1f}" y="5" width="10" height="10" rx="2" fill="{colour}"/>'
            f'<text x="{x + 15:.1f}" y="14" fill="{ink.text}">{escape(name)}</text>'
        )
        x += 32 + 6.2 * len(name)
    return parts
