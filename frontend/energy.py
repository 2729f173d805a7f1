"""Electricity and carbon as pages say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from babel import Locale
from babel.core import UnknownLocaleError, get_global
from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_noop, to_locale

from training.metering.band import Band
from training.metering.foresight import Foretold
from training.metering.grid import WORLD, Grid, elsewhere
from training.runs.energy import Spent, site_grid

# Where a figure comes from; the last two are of reports that earlier versions wrote, and of machines that nobody knows.
ENERGY_SOURCES = (
    gettext_noop("estimated from processor time and the stated power"),
    gettext_noop("measured by the processor's own meter (RAPL)"),
    gettext_noop("measured by the graphics cards (NVML), the processor estimated"),
    gettext_noop("measured by the meters of processor and graphics cards (RAPL, NVML)"),
    gettext_noop("stated power times seconds, not measured"),
    gettext_noop("unknown"),
)


# Between a figure and its unit no line ends.
GAP = "\u00a0"


@dataclass(frozen=True)
class Place:
    """What so much energy emits on one grid."""

    region: str
    per_kwh: str
    source: str
    year: str
    grams: str
    low: str
    high: str


@dataclass(frozen=True)
class Told:
    """Energy and carbon, in figures with their units."""

    energy: str
    low: str
    high: str
    here: list[Place]
    """The grids that it came from; the amount is that of all of them."""
    elsewhere: list[Place]

    @property
    def sources(self) -> list[str]:
        """Whose figures those elsewhere are, each once."""
        return list(dict.fromkeys(place.source for place in self.elsewhere))


def told(watt_hours: Band, grids: tuple[Grid, ...], grams: Band | None = None) -> Told:
    """As a page says it; `grams` are those of all grids together, else the first one's."""
    emitted = grams or grids[0].grams(watt_hours)
    own = grids[0].region if len(grids) == 1 else ""
    return Told(
        energy=spoken_energy(watt_hours.middle),
        low=spoken_energy(watt_hours.low),
        high=spoken_energy(watt_hours.high),
        here=[_place(grid, emitted) for grid in grids],
        elsewhere=[_place(grid, amount) for grid, amount in elsewhere(watt_hours, than=own)],
    )


def told_of_run(spent: Spent | None) -> Told | None:
    """What a run, or all of a community, took; None where nothing is known."""
    return told(spent.watt_hours, spent.grids, spent.grams) if spent and spent.grids else None


def foretold(expected: Foretold | None) -> dict[str, Any] | None:
    """What a run is expected to take here, and on what that rests."""
    if expected is None:
        return None
    return {"told": told(expected.watt_hours, (site_grid(),)), "runs": expected.runs, "same": expected.same_method}


def _place(grid: Grid, grams: Band) -> Place:
    return Place(
        region=region_name(grid.region),
        per_kwh=f"{_figure(grid.grams_per_kwh)}{GAP}g/kWh",
        source=grid.source,
        year=str(grid.year),
        grams=spoken_grams(grams.middle),
        low=spoken_grams(grams.low),
        high=spoken_grams(grams.high),
    )


def region_name(code: str) -> str:
    """A country by its name in the reader's language; other regions as they are called."""
    short = "001" if code == WORLD else next(iter(get_global("territory_aliases").get(code, [])), "")
    try:
        names = Locale.parse(to_locale(get_language() or "en")).territories
    except UnknownLocaleError:
        names = Locale("en").territories
    return str(names.get(short, code))


def spoken_energy(watt_hours: float) -> str:
    """In Wh, from 100 on in kWh."""
    return f"{_figure(watt_hours)}{GAP}Wh" if watt_hours < 100 else f"{_figure(watt_hours / 1000)}{GAP}kWh"


def spoken_grams(grams: float) -> str:
    """In grams, from 1000 on in kg."""
    return f"{_figure(grams)}{GAP}g" if grams < 1000 else f"{_figure(grams / 1000)}{GAP}kg"


def _figure(amount: float) -> str:
    """Two or three figures that count."""
    digits = 0 if amount >= 100 else 1 if amount >= 10 else 2
    # Django cuts digits off and does not round.
    return number_format(round(amount, digits), decimal_pos=digits)
