"""Grams of CO2 for each kWh of electricity, by region; every figure with its source and its year.

Regions are countries (ISO 3166-1 alpha-3, such as NZL), regions of Google's cloud (such as europe-north2), or WORLD.
The figures are averages over a year, so what a run emits in one hour is known only roughly. The table is grid.csv;
where its figures come from is in `SOURCES`.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from training.metering.band import Band

TABLE = Path(__file__).with_name("grid.csv")
WORLD = "WORLD"
SOURCES = {
    "owid": "Our World in Data and Ember, in the table of CodeCarbon 3.3.2",
    "google": "Google Cloud, region-carbon-info",
    "iea": "IEA, Global Energy & CO2 Status Report 2019",
}
# A few countries from all over the table and the world, to see what a place makes of the same energy.
ELSEWHERE = ("SWE", "KEN", "NZL", "BRA", "CAN", "MEX", "USA", "NGA", "AUS", "ZAF", "IND")


class UnknownGrid(ValueError):
    """No figure is known for the region, or one was stated without saying whose it is and of which year."""


@dataclass(frozen=True)
class Grid:
    """What a region's electricity emits."""

    region: str
    grams_per_kwh: float
    source: str
    year: int

    def grams(self, watt_hours: Band) -> Band:
        """Grams of CO2 equivalents for so much energy."""
        return watt_hours.times(self.grams_per_kwh / 1000)

    def facts(self) -> dict[str, Any]:
        """As reports keep it."""
        return asdict(self)


@cache
def table() -> dict[str, Grid]:
    """Every region that is known."""
    with TABLE.open(encoding="ascii", newline="") as file:
        return {
            row["region"]: Grid(row["region"], float(row["grams_per_kwh"]), SOURCES[row["source"]], int(row["year"]))
            for row in csv.DictReader(file)
        }


def grid_of(region: str, *, grams_per_kwh: float = 0.0, source: str = "", year: int = 0) -> Grid:
    """The region's grid: from the table, or as somebody who knows better states it. Raises UnknownGrid."""
    if grams_per_kwh:
        if not (source and year):
            raise UnknownGrid("Grams of CO2 per kWh were stated without their source and their year.")
        return Grid(region or WORLD, grams_per_kwh, source, year)
    try:
        return table()[region or WORLD]
    except KeyError:
        raise UnknownGrid(
            f"No grid is known for {region!r}: name a country by three letters (NZL), or state grams, source and year."
        ) from None


def elsewhere(watt_hours: Band, *, than: str = "") -> list[tuple[Grid, Band]]:
    """What the same energy would have emitted in a few other countries, least first."""
    grids = sorted((table()[name] for name in ELSEWHERE if name != than), key=lambda one: one.grams_per_kwh)
    return [(grid, grid.grams(watt_hours)) for grid in grids]
