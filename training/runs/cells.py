"""What a grid's runs came to, cell by cell: means over seeds with their intervals; and how long a grid would take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from scipy.special import stdtrit

from training.recipes.configuration import METHODS
from training.releases.models import Release
from training.runs.artefacts import FILE, adapter_folder
from training.runs.grids import Settings, runs_by_cell
from training.runs.models import Adapter, Grid, Run


@dataclass(frozen=True)
class Mean:
    """A mean over seeds, with the interval in which the mean of many more would lie in 95 of 100 such grids (Student
    1908); None while there is one value."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Cell:
    """A method, a rank and a budget, and what its runs came to; None where none has finished."""

    method: str
    rank: int
    token_share: float
    token_budget: int
    states: dict[str, int]
    runs: list[Run]
    """In the order of the seeds."""
    tokens: float | None
    """Tokens of the lessons that were learnt from, each counted once: a mean, since seeds choose other lessons."""
    bpb: Mean | None
    """Bits per byte on the held-out split."""
    base_bpb: float | None
    tokens_per_second: float | None
    watt_hours: float | None
    """Of all its finished runs together; None where no power was stated."""
    adapter_bytes: int | None

    @property
    def method_name(self) -> str:
        """The method as people call it."""
        return METHODS[self.method]

    @property
    def run_ids(self) -> list[int]:
        """The ids of its runs."""
        return [run.pk for run in self.runs]

    @property
    def percent(self) -> float:
        """The share of the tokens in percent."""
        return round(100 * self.token_share, 3)

    @property
    def megabytes(self) -> float | None:
        """The size of an adapter's file."""
        return self.adapter_bytes / 1e6 if self.adapter_bytes else None

    @property
    def finished(self) -> int:
        """How many of its runs have finished."""
        return self.states.get(Run.State.FINISHED, 0)


def mean_of(values: Sequence[float]) -> Mean:
    """Their mean with its interval, by Student's t."""
    if len(values) < 2:
        return Mean(values[0], None, None)
    wide = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / math.sqrt(len(values))
    return Mean(fmean(values), fmean(values) - wide, fmean(values) + wide)


def cells_of(grid: Grid) -> list[Cell]:
    """Every cell of a grid, in the order of its plan."""
    return [_cell(*key, runs) for key, runs in runs_by_cell(grid).items()]


def _cell(method: str, rank: int, share: float, budget: int, runs: Sequence[Run]) -> Cell:
    made = [run.adapter for run in runs if hasattr(run, "adapter")]
    reports = [adapter.report for adapter in made]
    spent = [float(report["energy"]["wh"]) for report in reports if report.get("energy", {}).get("watts")]
    tokens = [report["data"]["train"]["tokens"] for report in reports if "tokens" in _train_of(report)]
    return Cell(
        method=method,
        rank=rank,
        token_share=share,
        token_budget=budget,
        states=dict(Counter(run.state for run in runs)),
        runs=list(runs),
        tokens=fmean(tokens) if tokens else None,
        bpb=mean_of([adapter.adapter_bpb for adapter in made]) if made else None,
        base_bpb=fmean(adapter.base_bpb for adapter in made) if made else None,
        tokens_per_second=fmean(float(report["tokens_per_second"]) for report in reports) if reports else None,
        watt_hours=math.fsum(spent) if spent else None,
        adapter_bytes=next((size for adapter in made if (size := bytes_of(adapter))), None),
    )


def _train_of(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = report.get("data", {}).get("train", {})
    return found


def bytes_of(adapter: Adapter) -> int:
    """The size of its file; 0 where it is not there."""
    try:
        return (adapter_folder(adapter) / FILE).stat().st_size
    except OSError:
        return 0


CSV_COLUMNS = (
    *("run", "state", "method", "rank", "token_share", "token_budget", "seed", "tokens", "steps"),
    *("base_bpb", "adapter_bpb", "base_chrf", "adapter_chrf"),
    *("tokens_per_second", "seconds", "watt_hours", "peak_memory_mb", "adapter_bytes", "adapter_sha256"),
)


def rows_of(grid: Grid) -> list[list[Any]]:
    """A row of `CSV_COLUMNS` for each run; empty where it has not come to a figure."""
    rows = []
    for run in grid.runs.select_related("adapter").order_by("pk"):
        recipe, adapter = run.settings["recipe"], getattr(run, "adapter", None)
        report = adapter.report if adapter else {}
        energy = report.get("energy", {})
        known = {
            **{name: getattr(adapter, name) for name in CSV_COLUMNS[9:13] if adapter},
            **{name: recipe[name] for name in ("rank", "token_share", "token_budget", "seed")},
            **{
                name: report[name]
                for name in ("steps", "tokens_per_second", "seconds", "peak_memory_mb")
                if name in report
            },
            **{"run": run.number, "state": run.state, "method": run.method},
            **{
                "tokens": _train_of(report).get("tokens"),
                "watt_hours": energy.get("wh") if energy.get("watts") else None,
            },
            **({"adapter_bytes": bytes_of(adapter), "adapter_sha256": adapter.sha256} if adapter else {}),
        }
        rows.append([known.get(name, "") for name in CSV_COLUMNS])
    return rows


def seconds_for(release: Release, chosen: Sequence[Settings], base_model: str) -> float | None:
    """About how long runs with these settings on this base would take one after the other, from what earlier runs of
    the community on it took; None where none of them says enough.

    A run takes its tokens by the speed of the newest run of its method, or of any where there is none, and as much for
    loading and measuring as that one did.
    """
    earlier = list(
        Adapter.objects.filter(community=release.community_id, run__base_model=base_model)
        .select_related("run")
        .order_by("-created_at")[:50]
    )
    known = {adapter.run.method: adapter.report for adapter in reversed(earlier) if _says_enough(adapter.report)}
    if not known:
        return None
    newest = next(adapter.report for adapter in earlier if _says_enough(adapter.report))
    a_sentence = newest["tokens"] / _sentences_read(newest)
    total = 0.0
    for settings in chosen:
        recipe, report = settings["recipe"], known.get(settings["recipe"]["method"], newest)
        lessons = min(a_sentence * release.counts["train"] * recipe["token_share"], recipe["token_budget"] or math.inf)
        tokens = lessons * recipe["epochs"] / (1 - settings["mixing"]["replay"])
        if recipe["max_steps"]:
            tokens = min(tokens, a_sentence * recipe["batch_size"] * recipe["max_steps"])
        beside = max(0.0, report["seconds"] - report["tokens"] / report["tokens_per_second"])
        total += tokens / report["tokens_per_second"] + beside
    return total


def _says_enough(report: dict[str, Any]) -> bool:
    return bool(report.get("tokens_per_second") and report.get("tokens") and _sentences_read(report))


def _sentences_read(report: dict[str, Any]) -> float:
    recipe = report.get("recipe", {})
    return float(report.get("steps", 0) * recipe.get("batch_size", 0))
