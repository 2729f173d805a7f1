"""What runs take and emit: foretold before they start, told afterwards, and added up for a community."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from people.models import Community
from training.metering.band import Band
from training.metering.foresight import RUNS, Foretold, band_of, earlier_run, foretell
from training.metering.grid import Grid
from training.releases.models import Release
from training.runs.base_models import DEFAULT, find_base_model
from training.runs.models import Adapter, Run


@dataclass(frozen=True)
class Spent:
    """Energy in Wh, and grams of CO2 by the grids that it came from."""

    watt_hours: Band
    grams: Band
    grids: tuple[Grid, ...]


def site_grid() -> Grid:
    """The grid that is stated for this site."""
    grid: Grid = settings.TRAINING_GRID
    return grid


def stated_energy() -> dict[str, Any]:
    """The section `energy` of a run's config.toml: what this site states of its machine, building and grid."""
    grid = site_grid()
    return {
        "watts": settings.TRAINING_WATTS,
        "pue": settings.TRAINING_PUE,
        "region": grid.region,
        "grams_per_kwh": grid.grams_per_kwh,
        "grid_source": grid.source,
        "grid_year": grid.year,
    }


def foretell_run(*, release: Release, chosen: Mapping[str, Any], base_model: str = DEFAULT) -> Foretold | None:
    """What a run with these settings will take, from the newest runs of the community with this base model; the same
    method goes first. Of other communities' runs nothing is read."""
    ours = Adapter.objects.filter(community=release.community_id, run__base_model=base_model).order_by("-created_at")
    same = ours.filter(run__method=chosen["recipe"]["method"])[:RUNS]
    found = [one for adapter in same or ours[:RUNS] if (one := earlier_run(adapter.report)) is not None]
    base = find_base_model(base_model)
    return foretell(
        settings=chosen,
        rows=release.counts,
        earlier=found,
        watts=settings.TRAINING_WATTS * settings.TRAINING_PUE,
        base_bytes=base.weight_bytes if base else 0,
    )


def spent_by(run: Run) -> Spent | None:
    """What a run took: by its report, else by the last line of a log that broke off. None where nothing is known."""
    adapter: Adapter | None = getattr(run, "adapter", None)
    energy: Mapping[str, Any] = (adapter.report.get("energy") or {}) if adapter else {}
    watt_hours = band_of(energy) if adapter else _so_far(run)
    if not watt_hours.middle:
        return None
    # A report from before grids were named is reckoned by the present one.
    grid = Grid(**energy["grid"]) if energy.get("grid") else site_grid()
    return Spent(watt_hours, grid.grams(watt_hours), (grid,))


def _so_far(run: Run) -> Band:
    middle = run.progress.get("energy_wh") or 0.0
    low, high = run.progress.get("energy_between_wh", (middle, middle))
    return Band(low, middle, high)


def spent_in(community: Community) -> Spent:
    """What all runs of a community took, those that broke off too."""
    return spent_together(Run.objects.filter(community=community).select_related("adapter"))


def spent_together(runs: Iterable[Run]) -> Spent:
    """What several runs took; those of which nothing is known are left out."""
    known = [spent for run in runs if (spent := spent_by(run)) is not None]
    return Spent(
        sum((one.watt_hours for one in known), Band()),
        sum((one.grams for one in known), Band()),
        tuple(dict.fromkeys(grid for one in known for grid in one.grids)),
    )
