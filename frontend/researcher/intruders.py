"""An adapter's intruder dimensions in the words, the rows and the curves of its run's page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from frontend.charts import line_chart
from frontend.researcher.progress import Chart
from training.runs.intruders import intruders_of
from training.runs.models import Adapter, AdapterReading

OF_EACH = (
    ("bpb", gettext_lazy("On the validation sentences")),
    ("forgotten", gettext_lazy("Forgotten in other languages")),
)


@dataclass(frozen=True)
class Intruders:
    """The newest reading, None where there never was one, and what it found."""

    reading: AdapterReading | None

    @property
    def found(self) -> dict[str, Any]:
        """Count, curve and advice as the recipe gave them; empty before there are any."""
        return self.reading.found if self.reading is not None and self.reading.measured_at else {}

    @property
    def factor(self) -> float | None:
        """The factor that is advised; None where none is."""
        advised = float(self.found.get("advised", 1.0))
        return None if advised == 1.0 else advised

    @property
    def price(self) -> dict[str, float]:
        """What the advised factor gives back and costs, in shares of what was forgotten and of what was gained."""
        if self.factor is None:
            return {}
        whole = self.found["curve"][0]
        row = next(row for row in self.found["curve"] if row["factor"] == self.factor)
        return {
            "back": (whole["forgotten"] - row["forgotten"]) / whole["forgotten"],
            "lost": max(0.0, (row["bpb"] - whole["bpb"]) / (self.found["base_bpb"] - whole["bpb"])),
        }

    @property
    def command(self) -> str:
        """What somebody types who has the run's folder with its adapter, to have it with the advised factor."""
        if self.reading is None or self.factor is None:
            return ""
        folder = f"run-{self.reading.adapter.run.number}"
        return f"python -m training.recipes.intruders {folder}/config.toml --write {folder}-scaled"

    @property
    def charts(self) -> list[Chart]:
        """What each factor costs, and what it gives back; none where there is nothing to scale."""
        if not self.found.get("intruders"):
            return []
        charts = []
        for name, title in OF_EACH:
            points = sorted((round(100 * row["factor"]), row[name]) for row in self.found["curve"])
            about = {
                "title": str(title),
                "x_label": _("strength of the intruders, percent"),
                "y_label": _("bits per byte"),
            }
            drawing = line_chart(points, name=f"intruders-{name}", second=name == "forgotten", **about)
            charts.append(Chart(about["title"], about["y_label"], drawing, points))
        return charts


def intruders_in(adapter: Adapter) -> Intruders:
    """What is known of an adapter's."""
    return Intruders(intruders_of(adapter))
