"""Several lines in one picture: the methods of a grid, or the runs that somebody compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from frontend.charts import MOST_LINES, Line, many_lines, thin
from training.recipes.configuration import METHODS
from training.runs.cells import Cell
from training.runs.models import Grid, Run
from training.runs.progress import loss_curve
from training.runs.services import folder_of

POINTS = 120


@dataclass(frozen=True)
class Picture:
    """Lines that are drawn together, with the names of what they show, in the order of their signs."""

    title: str
    unit: str
    drawing: SafeString
    names: list[str]


def charts_of(grid: Grid, cells: Sequence[Cell]) -> list[Picture]:
    """Bits per byte against the tokens that were learnt from: a picture for each rank, a line for each method."""
    pictures = []
    for rank in grid.ranks:
        lines = [
            Line(
                METHODS[method],
                [_point(cell) for cell in cells if cell.method == method and cell.rank == rank and cell.bpb],
            )
            for method in grid.methods
        ]
        title = _("Rank %(rank)s") % {"rank": rank}
        drawing = many_lines(
            lines, name=f"rank-{rank}", title=title, x_label=_("tokens learnt from"), y_label=_("bits per byte")
        )
        if drawing:
            pictures.append(Picture(title, _("bits per byte"), drawing, [line.name for line in lines]))
    return pictures


def _point(cell: Cell) -> tuple[float, float, float | None, float | None]:
    assert cell.bpb is not None  # noqa: S101 - the caller left the others out
    return (cell.tokens or 0.0, cell.bpb.value, cell.bpb.low, cell.bpb.high)


def curves_of(runs: Sequence[Run]) -> list[Picture]:
    """The losses of several runs, each in one picture."""
    curves = {run.pk: loss_curve(folder_of(run) / "log.jsonl") for run in runs}
    kinds = (("validation", _("Validation"), _("bits per byte")), ("training", _("Training loss"), _("nats per token")))
    pictures = []
    for kind, title, unit in kinds:
        lines = [
            Line(name_of(run), [(step, value, None, None) for step, value in thin(curves[run.pk][kind], POINTS)])
            for run in runs[:MOST_LINES]
        ]
        drawing = many_lines(lines, name=f"{kind}-curves", title=title, x_label=_("step"), y_label=unit)
        if drawing:
            pictures.append(Picture(title, unit, drawing, [line.name for line in lines]))
    return pictures


def name_of(run: Run) -> str:
    """Such as “Run 3”."""
    return _("Run %(number)s") % {"number": run.number}
