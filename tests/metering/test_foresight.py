"""What a run takes is told from what earlier ones took, and as a guess where there are none."""

import pytest

from training.metering.band import Band
from training.metering.foresight import earlier_run, foretell, recalled

SETTINGS = {
    "recipe": {"method": "qlora", "epochs": 2, "batch_size": 8, "max_steps": 0},
    "evaluation": {"generate_items": 20, "max_new_tokens": 50},
}


def report(*, method="qlora", rows=100, wh=10.0, **recipe):
    """Of a run that trained for 80 s and needed 20 s for the rest."""
    return {
        "method": method,
        "recipe": {**SETTINGS["recipe"], **recipe},
        "measured": SETTINGS["evaluation"],
        "data": {"train": {"used": rows}, "test": {"used": 20}},
        "tokens": 8000,
        "tokens_per_second": 100.0,
        "seconds": 100.0,
        "energy": {"wh": wh},
    }


def told(*reports, rows=100, watts=65.0, test=20, **recipe):
    settings = {**SETTINGS, "recipe": {**SETTINGS["recipe"], **recipe}}
    earlier = [earlier_run(one) for one in reports]
    return foretell(settings=settings, rows={"train": rows, "test": test}, earlier=earlier, watts=watts)


def test_the_same_run_again_takes_the_same():
    expected = told(report())
    assert (expected.watt_hours.middle, expected.seconds, expected.runs, expected.same_method) == (10, 100, 1, True)
    assert expected.watt_hours.low < 10 < expected.watt_hours.high


def test_twice_the_sentences_double_the_training_and_not_the_rest():
    assert told(report(), rows=200).seconds == 180
    assert told(report(), epochs=4).watt_hours.middle == pytest.approx(18)
    assert told(report(), max_steps=5).seconds == 80 * 40 / 200 + 20
    assert told(report(), test=10).seconds == 80 + 20 * 3 / 4


def test_of_several_runs_the_middle_one_is_told_and_all_are_between_the_bounds():
    expected = told(report(wh=9.0), report(wh=10.0), report(wh=70.0))
    assert expected.watt_hours.middle == 10
    assert expected.watt_hours.high >= 70


def test_runs_with_another_method_count_only_where_there_are_no_others_and_less_surely():
    both = told(report(), report(method="full", wh=90.0))
    other = told(report(method="full", wh=10.0))
    assert (both.watt_hours.middle, both.runs) == (10, 1)
    assert not other.same_method
    assert other.watt_hours.high > both.watt_hours.high


def test_without_any_run_it_is_a_guess_with_wide_bounds_and_without_watts_nothing():
    expected = told(rows=275)
    assert expected.runs == 0
    assert expected.watt_hours.high / expected.watt_hours.low > 10
    assert told(watts=0.0) is None


def test_what_is_stored_is_read_again_and_an_old_report_tells_nothing():
    expected = told(report())
    assert recalled(expected.facts()) == expected
    assert recalled({}) is None
    assert earlier_run({"energy": {"wh": 3.0}}) is None
    assert earlier_run(report(wh=0.0)) is None


def test_bounds_add_up():
    assert Band(1, 2, 3) + Band(0, 1, 5) == Band(1, 3, 8)
