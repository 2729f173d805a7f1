"""The server's charts: they say what they show, and survive odd curves."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from frontend.charts import MOST_POINTS, Line, line_chart, many_lines, round_ticks, thin


def chart(points: list[tuple[int, float]], **more: str) -> str:
    words = {"name": "loss", "title": "Training loss", "x_label": "step", "y_label": "nats per token", **more}
    return str(line_chart(points, **words))  # type: ignore[arg-type]


def test_a_chart_is_well_formed_and_names_axes_and_extremes() -> None:
    svg = chart([(1, 4.0), (50, 2.5), (100, 2.25)])

    root = ElementTree.fromstring(svg)  # noqa: S314 - made by ourselves
    words = " ".join(root.itertext())
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "loss-title loss-desc"
    assert "Training loss" in words
    assert "nats per token" in words
    assert "4 at step 1" in words
    assert "2.25 at step 100" in words


def test_a_chart_carries_no_style_and_no_script() -> None:
    svg = chart([(1, 4.0), (2, 2.5)])

    assert "style=" not in svg
    assert "<script" not in svg


def test_labels_are_escaped() -> None:
    assert "<b>" not in chart([(1, 1.0), (2, 2.0)], y_label="<b>nats</b>")


def test_a_falling_loss_falls_on_the_page() -> None:
    svg = chart([(1, 4.0), (2, 3.0), (3, 2.0)])

    points = re.search(r'points="([^"]+)"', svg)
    assert points is not None
    heights = [float(pair.split(",")[1]) for pair in points.group(1).split()]
    assert heights == sorted(heights)
    assert len(set(heights)) == 3


def test_every_point_is_inside_the_view_box() -> None:
    svg = chart([(1, 1e-9), (10_000, 1e6), (20_000, 17.0)])

    for x, y in re.findall(r'cx="([\d.e+-]+)" cy="([\d.e+-]+)"', svg):
        assert 0 <= float(x) <= 360
        assert 0 <= float(y) <= 220


@pytest.mark.parametrize("points", [[], [(1, float("nan"))], [(1, float("inf"))]])
def test_nothing_is_drawn_without_a_finite_point(points: list[tuple[int, float]]) -> None:
    assert chart(points) == ""


@pytest.mark.parametrize("points", [[(5, 2.0)], [(1, 3.0), (2, 3.0)], [(1, 0.0)], [(7, -1.5), (8, float("nan"))]])
def test_a_single_or_flat_curve_is_drawn(points: list[tuple[int, float]]) -> None:
    svg = chart(points)

    assert "<circle" in svg
    assert "nan" not in svg


def test_a_long_curve_is_thinned_and_keeps_its_last_step() -> None:
    points = [(step, float(step)) for step in range(1, 5001)]

    thinned = thin(points, MOST_POINTS)

    assert len(thinned) <= MOST_POINTS
    assert thinned[-1][0] == 5000


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.31, 2.34), (-3.0, 12.0), (1e-7, 3e-7), (5.0, 5.0)])
def test_ticks_are_even_and_span_the_values(low: float, high: float) -> None:
    ticks = round_ticks(low, high)

    steps = {round(after - before, 12) for before, after in pairwise(ticks)}
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert len(steps) == 1
    assert 2 <= len(ticks) <= 8


def test_many_lines_are_told_apart_and_their_bars_stand_beside_each_other() -> None:
    lines = [Line(name, [(1000.0, 3.0, 2.5, 3.5), (20_000.0, 2.0, None, None)]) for name in ("LoRA", "<b>")]
    svg = str(many_lines([*lines, Line("none", [])], name="rank", title="Rank 4", x_label="tokens", y_label="bits"))

    root = ElementTree.fromstring(svg)  # noqa: S314 - made by ourselves
    assert re.findall(r'<g class="(line s\d)">', svg) == ["line s0", "line s1"]
    bars = re.findall(r'<path d="M([\d.]+) [\d.]+V', svg)
    assert len(set(bars)) == len(bars) == 2
    assert "LoRA: 3 at tokens 1000, 2 at tokens 20000; lowest 2." in " ".join(root.itertext())
    assert "20k" in svg
    assert "<b>" not in svg
    assert many_lines([Line("none", [])], name="x", title="x", x_label="x", y_label="x") == ""
