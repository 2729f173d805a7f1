"""Lines and bars as SVG, drawn on the server: no script, with words for a screen reader, coloured by the sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

Point = tuple[int, float]

# In units of the view box: about a phone's width, so that 12 px letters stay readable there.
WIDTH, HEIGHT = 360, 220
LEFT, RIGHT, TOP, BOTTOM = 48, 18, 26, 38
MOST_POINTS = 240
MOST_LINES = 6
BARS_APART = 4


@dataclass(frozen=True)
class Axis:
    """A scale from values to positions, with round ticks that span the values."""

    ticks: tuple[float, ...]
    start: float
    length: float

    def place(self, value: float) -> float:
        """The position of a value; a single value stands in the middle."""
        low, high = self.ticks[0], self.ticks[-1]
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.start + share * self.length, 1)


def round_ticks(low: float, high: float, *, wanted: int = 4) -> tuple[float, ...]:
    """About `wanted` even steps of 1, 2 or 5 times a power of ten, from at most low to at least high."""
    if not high > low:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    rough = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, -math.floor(math.log10(step)) + 1)
    return tuple(round(number * step, digits) for number in range(first, last + 1))


def thin(points: Sequence[Point], at_most: int) -> list[Point]:
    """The points themselves when they are few, else the means of neighbours; the last step is always kept."""
    if len(points) <= at_most:
        return list(points)
    size = math.ceil(len(points) / at_most)
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return [(group[-1][0], sum(value for _, value in group) / len(group)) for group in groups]


def line_chart(
    points: Sequence[Point],
    *,
    name: str,
    title: str,
    x_label: str,
    y_label: str,
    second: bool = False,
    mark: int | None = None,
) -> SafeString:
    """One line over steps as an SVG element; empty when there is no finite point.

    `name` makes the ids of title and description unique on the page. `y_label` is the quantity with its unit. `mark` is
    a step at which an upright line stands; the page says what it means.
    """
    finite = [(step, value) for step, value in points if math.isfinite(value)]
    if not finite:
        return mark_safe("")
    shown = thin(finite, MOST_POINTS)
    across = Axis(_step_ticks(shown[0][0], shown[-1][0]), LEFT, WIDTH - LEFT - RIGHT)
    values = [value for _, value in shown]
    up = Axis(round_ticks(min(values), max(values)), HEIGHT - BOTTOM, -(HEIGHT - TOP - BOTTOM))
    description = _described(y_label, x_label, finite)
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        name,
        name,
        name,
        title,
        name,
        description,
        _frame(across, up),
        _labels(x_label, y_label),
        _line(shown, across, up, second=second) + _mark(mark, across),
    )


@dataclass(frozen=True)
class Line:
    """One of several lines: its name, and (place, value, low, high); without an interval the last two are None."""

    name: str
    points: Sequence[tuple[float, float, float | None, float | None]]


def many_lines(lines: Sequence[Line], *, name: str, title: str, x_label: str, y_label: str) -> SafeString:
    """Up to `MOST_LINES` lines in one SVG element, with bars where a point has an interval; empty without any point.

    Each has a sign of its own by its place (`line s0`, `line s1`, ... in css/runs.css), which a legend beside it names.
    """
    shown = [(place, line) for place, line in enumerate(lines[:MOST_LINES]) if line.points]
    if not shown:
        return mark_safe("")
    points = [point for _, line in shown for point in line.points]
    places = [point[0] for point in points]
    values = [value for point in points for value in point[1:] if value is not None]
    across = Axis(_step_ticks(min(places), max(places)), LEFT, WIDTH - LEFT - RIGHT)
    up = Axis(round_ticks(min(values), max(values)), HEIGHT - BOTTOM, -(HEIGHT - TOP - BOTTOM))
    description = " ".join(
        _described(line.name, x_label, [(point[0], point[1]) for point in line.points]) for _, line in shown
    )
    return format_html(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-title {}-desc">'
        '<title id="{}-title">{}</title><desc id="{}-desc">{}</desc>{}{}{}</svg>',
        *(WIDTH, HEIGHT, name, name, name, title, name, description),
        _frame(across, up),
        _labels(x_label, y_label),
        format_html_join("", "{}", ((_one_of_many(line, place, len(lines), across, up),) for place, line in shown)),
    )


def _one_of_many(line: Line, place: int, of: int, across: Axis, up: Axis) -> SafeString:
    # Bars at the same place stand a little apart, or they would hide each other.
    aside = BARS_APART * (place - (of - 1) / 2) if any(low is not None for _, _, low, _ in line.points) else 0.0
    drawn = [
        (round(across.place(x) + aside, 1), up.place(value), *(up.place(end) for end in ends if end is not None))
        for x, value, *ends in line.points
    ]
    bars = format_html_join(
        "",
        '<path d="M{0} {1}V{2}M{3} {1}h6M{3} {2}h6"/>',
        ((one[0], one[2], one[3], round(one[0] - 3, 1)) for one in drawn if len(one) == 4),
    )
    dots = format_html_join(
        "", '<circle cx="{}" cy="{}" r="3"/>', [one[:2] for one in drawn] if len(drawn) <= 12 else []
    )
    middle = " ".join(f"{one[0]:g},{one[1]:g}" for one in drawn)
    return format_html('<g class="line s{}"><polyline points="{}"/>{}{}</g>', place, middle, bars, dots)


def _described(quantity: str, unit: str, points: Sequence[tuple[float, float]]) -> str:
    """In words for those who cannot see a line: where it begins, where it ends, and its lowest point."""
    return gettext("%(quantity)s: %(first)s at %(unit)s %(from)s, %(last)s at %(unit)s %(to)s; lowest %(lowest)s.") % {
        "quantity": quantity,
        "unit": unit,
        "first": _number(points[0][1]),
        "from": round(points[0][0]),
        "last": _number(points[-1][1]),
        "to": round(points[-1][0]),
        "lowest": _number(min(value for _, value in points)),
    }


def _mark(step: int | None, across: Axis) -> SafeString:
    if step is None or not across.ticks[0] <= step <= across.ticks[-1]:
        return mark_safe("")
    return format_html(
        '<path class="axis" stroke-dasharray="2 3" d="M{} {}V{}"/>', across.place(step), TOP, HEIGHT - BOTTOM
    )


def interval_bar(low: float, middle: float, high: float, *, words: str) -> SafeString:
    """Where a share lies between 0 and 1, as a bar of its interval with a mark; `words` say the same."""
    return format_html(
        '<svg class="interval" viewBox="0 0 100 12" role="img" aria-label="{}">'
        '<path class="axis" d="M0 6H100M50 2v8M75 2v8"/><rect x="{}" y="3" width="{}" height="6" rx="3"/>'
        '<circle cx="{}" cy="6" r="4"/></svg>',
        words,
        round(100 * low, 1),
        round(100 * (high - low), 1),
        round(100 * middle, 1),
    )


def _step_ticks(first: float, last: float) -> tuple[float, ...]:
    ticks = tuple(tick for tick in round_ticks(first, last) if tick == int(tick))
    return ticks if len(ticks) > 1 else (float(first), float(max(last, first + 1)))


def _short(value: float) -> str:
    """A place on the axis below; large ones in thousands, so that they have room beside each other."""
    return f"{value / 1000:g}k" if value >= 10_000 else f"{value:.0f}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _frame(across: Axis, up: Axis) -> SafeString:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    lines = format_html('<path class="axis" fill="none" d="M{} {}V{}H{}"/>', LEFT, TOP, bottom, right)
    below = format_html_join(
        "",
        '<path class="axis" d="M{0} {1}v4"/><text x="{0}" y="{2}" text-anchor="middle">{3}</text>',
        ((across.place(tick), bottom, bottom + 17, _short(tick)) for tick in across.ticks),
    )
    beside = format_html_join(
        "",
        '<path class="axis" d="M{0} {1}h-4"/><text x="{2}" y="{3}" text-anchor="end">{4}</text>',
        ((LEFT, up.place(tick), LEFT - 7, up.place(tick) + 4, f"{tick:g}") for tick in up.ticks),
    )
    return lines + below + beside


def _labels(x_label: str, y_label: str) -> SafeString:
    return format_html(
        '<text x="2" y="13">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>',
        y_label,
        WIDTH - RIGHT,
        HEIGHT - 5,
        x_label,
    )


def _line(points: Sequence[Point], across: Axis, up: Axis, *, second: bool) -> SafeString:
    places = [(across.place(step), up.place(value)) for step, value in points]
    kind = "line second" if second else "line"
    line = format_html('<polyline class="{}" points="{}"/>', kind, " ".join(f"{x:g},{y:g}" for x, y in places))
    # Few points are easy to overlook, and a single one draws no line at all.
    dots = format_html_join(
        "", '<circle cx="{}" cy="{}" r="3" fill="currentColor"/>', places if len(places) <= 12 else []
    )
    return line + dots
