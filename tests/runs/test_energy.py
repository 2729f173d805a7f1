"""What runs of a community took and emit, and what the next one will, from that community's runs alone."""

from dataclasses import asdict

import pytest
from rest_framework.test import APIClient

from tests.frontend.made import ENERGY, GRID, make_adapter, make_release, report
from tests.metering.test_foresight import SETTINGS
from training.metering.band import Band
from training.metering.grid import Grid, grid_of, table
from training.runs.energy import foretell_run, site_grid, spent_by, spent_in, stated_energy
from training.runs.models import Adapter, Run
from training.runs.progress import LogReader
from training.runs.services import checked_settings, queue_run
from training.runs.supervisor import configuration_of

TELLING = {
    "method": "qlora",
    "recipe": {**SETTINGS["recipe"], "epochs": 2},
    "measured": {"generate_items": 24, "max_new_tokens": 64},
    "data": {"train": {"used": 4}, "test": {"used": 4}},
    "seconds": 100.0,
    "tokens": 8000,
    "tokens_per_second": 100.0,
    "energy": {**ENERGY, "wh": 10.0},
}


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


def queued(release, esi, now):
    return queue_run(release=release, started_by=esi, now=now)


def test_a_run_tells_its_recipe_what_the_site_states(release, esi, now, settings):
    settings.TRAINING_GRID = grid_of("NZL")
    settings.TRAINING_WATTS, settings.TRAINING_PUE = 45.0, 1.2
    config = configuration_of(queued(release, esi, now), "base", "")
    assert config["energy"] == stated_energy()
    assert config["energy"] == {
        "watts": 45.0,
        "pue": 1.2,
        "region": "NZL",
        "grams_per_kwh": 112.758,
        "grid_source": table()["NZL"].source,
        "grid_year": 2023,
    }


def test_the_first_run_is_guessed_and_the_next_reckoned_from_it(release, esi, now):
    run = queued(release, esi, now)
    assert (run.foretold["runs"], run.foretold["same_method"]) == (0, False)
    make_adapter(run)
    Adapter.objects.update(report={**report(), **TELLING})

    expected = foretell_run(release=release, chosen=checked_settings({}))
    assert (expected.runs, expected.same_method) == (1, True)
    assert expected.watt_hours.middle == pytest.approx(80 / 100 * 10 * release.counts["train"] / 4 + 2, rel=0.01)
    other = foretell_run(release=release, chosen=checked_settings({}, method="lora"))
    assert (other.runs, other.same_method) == (1, False)


def test_a_report_that_tells_too_little_is_passed_over(release, esi, now):
    make_adapter(queued(release, esi, now))
    Adapter.objects.update(report={"energy": {"wh": 3.0}})
    assert foretell_run(release=release, chosen=checked_settings({})).runs == 0


def test_runs_that_ended_and_runs_that_broke_off_add_up(release, esi, now, community):
    make_adapter(queued(release, esi, now))
    broken = queued(release, esi, now)
    Run.objects.filter(pk=broken.pk).update(
        state="failed", progress={"energy_wh": 1.0, "energy_between_wh": [0.5, 2.0]}
    )
    Run.objects.filter(pk=queued(release, esi, now).pk).update(state="cancelled")
    spent = spent_in(community)
    assert asdict(spent.watt_hours) == pytest.approx({"low": 0.6, "middle": 1.2, "high": 2.3})
    assert spent.grids in {(Grid(**GRID), site_grid()), (site_grid(), Grid(**GRID))}
    assert spent.grams.middle == pytest.approx(0.2 * 0.112758 + 1.0 * 0.475)


def test_an_old_report_is_reckoned_by_the_grid_of_now(release, esi, now):
    run = queued(release, esi, now)
    make_adapter(run)
    Adapter.objects.update(report={"energy": {"wh": 2.0, "watts": 65.0, "source": "x", "country": "", "grams_co2": 9}})
    spent = spent_by(Run.objects.get(pk=run.pk))
    assert (spent.watt_hours, spent.grids) == (Band(2.0, 2.0, 2.0), (site_grid(),))
    assert spent.grams.middle == pytest.approx(0.95)


def test_a_run_of_which_nothing_is_known_says_nothing(release, esi, now):
    assert spent_by(queued(release, esi, now)) is None


def test_the_api_reckons_anew_for_every_region(release, esi, now):
    run = queued(release, esi, now)
    adapter = make_adapter(run)
    client = APIClient()
    client.force_authenticate(esi)
    assert client.get(f"/api/v1/runs/{run.pk}/").json()["foretold"] == run.foretold
    found = client.get(f"/api/v1/adapters/{adapter.pk}/energy/").json()
    assert found["energy"] == ENERGY
    places = {one["region"]: one for one in found["elsewhere"]}
    assert len(places) == len(table())
    assert places["IND"]["grams_co2"]["middle"] == pytest.approx(0.2 * 0.713441)
    assert all(one["source"] and one["year"] for one in places.values())


def test_every_line_of_a_log_tells_the_energy_so_far(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text(
        '{"event": "energy", "energy_source": "a meter", "energy_wh": 0.1, "energy_between_wh": [0.0, 0.2]}\n'
        '{"event": "phase", "phase": "saving", "energy_wh": 3.5, "energy_between_wh": [2.0, 4.0]}\n'
    )
    told = LogReader(log).progress()
    assert told == {"phase": "saving", "energy_source": "a meter", "energy_wh": 3.5, "energy_between_wh": [2.0, 4.0]}
