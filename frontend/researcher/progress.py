"""How far a run is, in the words and figures of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from frontend.charts import Point, line_chart, thin
from training.runs.models import Run
from training.runs.progress import loss_curve
from training.runs.services import folder_of

TABLE_ROWS = 40
# What a recipe's log calls its phases; the page translates them.
PHASES = (
    gettext_noop("preparing the base model"),
    gettext_noop("loading"),
    gettext_noop("quantising"),
    gettext_noop("training"),
    gettext_noop("evaluating"),
    gettext_noop("saving"),
    gettext_noop("finished"),
)
# The one method whose name is not the same in every language.
METHOD_NAMES = (gettext_noop("Full fine-tuning"),)


@dataclass(frozen=True)
class Chart:
    """One curve as a drawing, and as a table for those who cannot see it."""

    title: str
    unit: str
    drawing: SafeString
    rows: list[Point]


@dataclass(frozen=True)
class Progress:
    """The newest facts of a run; None where its log has not said."""

    phase: str
    step: int | None
    steps: int | None
    done: int | None
    of: int | None
    loss: float | None
    validation_bpb: float | None
    tokens_per_second: float | None
    time_left: str
    watt_hours: float | None
    energy_source: str
    charts: list[Chart]
    other_seed: int | None = None
    """The seed of a training that is only measured; None while the run's own goes on."""
    kept_step: int | None = None
    """Where it ended early, or may have: the step whose weights it kept."""

    @property
    def part(self) -> tuple[int, int] | None:
        """How much of the present phase is done: (done, of)."""
        if self.of:
            return min(self.done or 0, self.of), self.of
        if self.steps:
            return min(self.step or 0, self.steps), self.steps
        return None


def run_progress(run: Run) -> Progress:
    """The run's newest facts and its curves."""
    facts: dict[str, Any] = run.progress
    is_training = facts.get("phase") == "training"
    curve = loss_curve(folder_of(run) / "log.jsonl")
    return Progress(
        phase=str(facts.get("phase", "")),
        step=facts.get("step"),
        steps=facts.get("steps"),
        done=facts.get("done"),
        of=facts.get("of"),
        loss=facts.get("loss"),
        validation_bpb=facts.get("validation_bpb"),
        tokens_per_second=facts.get("tokens_per_second"),
        time_left=spoken_seconds(facts.get("seconds_left")) if is_training else "",
        watt_hours=facts.get("energy_wh") or None,
        energy_source=str(facts.get("energy_source", "")),
        charts=_charts(curve),
        other_seed=facts.get("other_seed"),
        kept_step=curve["kept_step"],
    )


def spoken_seconds(seconds: float | None) -> str:
    """A length of time as people say it, roughly: 40 s, 12 min, 3 h 20 min."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return _("%(seconds)s s") % {"seconds": rest}
    hours, minutes_left = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": minutes}
    return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes_left}


def _charts(curve: dict[str, Any]) -> list[Chart]:
    kinds = (
        ("training", _("Training loss"), _("nats per token"), False),
        ("validation", _("Validation"), _("bits per byte"), True),
    )
    return [
        Chart(
            title=title,
            unit=unit,
            rows=thin(curve[name], TABLE_ROWS),
            drawing=line_chart(
                curve[name],
                name=f"{name}-curve",
                title=title,
                x_label=_("step"),
                y_label=unit,
                second=second,
                mark=curve["kept_step"],
            ),
        )
        for name, title, unit, second in kinds
        if curve[name]
    ]


def read_card(run: Run) -> str:
    """The card beside the adapter, or in the run's folder; empty before there is one."""
    folder = folder_of(run)
    for path in (folder / "README.md", folder / "adapter" / "README.md"):
        try:
            return path.read_text(encoding="utf-8")
        except OSError:
            continue
    return ""
