"""Every gram of CO2 has a source and a year, and is reckoned anew for any country."""

import pytest

from training.metering.band import Band
from training.metering.grid import ELSEWHERE, SOURCES, WORLD, Grid, UnknownGrid, elsewhere, grid_of, table


def test_every_figure_names_its_source_and_its_year():
    assert len(table()) > 250
    for grid in table().values():
        assert grid.source in SOURCES.values()
        assert 2005 <= grid.year <= 2026
        assert 0 < grid.grams_per_kwh < 1500


def test_the_figures_are_those_of_their_sources():
    assert table()["NZL"] == Grid("NZL", 112.758, SOURCES["owid"], 2023)
    assert (table()["SWE"].grams_per_kwh, table()["ZAF"].grams_per_kwh) == (40.695, 707.686)
    assert table()["europe-north2"] == Grid("europe-north2", 19.39, SOURCES["google"], 2025)
    assert grid_of("") == table()[WORLD] == Grid(WORLD, 475.0, SOURCES["iea"], 2018)


def test_grams_are_energy_times_the_grid_and_keep_the_bounds():
    grams = grid_of("NGA").grams(Band(1000.0, 2000.0, 4000.0))
    assert grams == Band(pytest.approx(523.247), pytest.approx(1046.494), pytest.approx(2092.988))


def test_the_same_energy_is_reckoned_for_other_countries_least_first():
    energy = Band(50.0, 80.0, 120.0)
    found = elsewhere(energy, than="SWE")
    amounts = [grams.middle for _, grams in found]
    assert amounts == sorted(amounts)
    assert {grid.region for grid, _ in found} == set(ELSEWHERE) - {"SWE"}
    for grid, grams in found:
        assert grams == grid_of(grid.region).grams(energy)


def test_somebody_who_knows_better_says_whose_figure_it_is_and_of_which_year():
    assert grid_of("NZL", grams_per_kwh=8.0, source="The village's turbine", year=2026).year == 2026
    for half in ({"source": "Somebody"}, {"year": 2026}, {}):
        with pytest.raises(UnknownGrid, match="source and their year"):
            grid_of("NZL", grams_per_kwh=8.0, **half)


def test_a_region_that_nobody_knows_is_named():
    with pytest.raises(UnknownGrid, match="'XYZ'"):
        grid_of("XYZ")
