"""Energy is added up over time, from whatever meter there is, and never for nothing."""

import ctypes
import json
import math
import random
import time

import pytest

from training.metering import power
from training.metering.band import Band
from training.metering.power import Counter, Load, Meter, Trapezoid, meter_of_machine, nvml_cards, rapl
from training.recipes.journal import Journal

SECONDS = 600


def stepping(at):
    """A training: loading at 40 W, then steps of 2.5 s that fall from 150 W to 90 W, and validation between them."""
    if at < 10:
        return 40.0
    if at % 97 < 12:
        return 70.0
    return 150.0 if at % 2.5 < 2.1 else 90.0


def waves(at):
    return 120 + 50 * math.sin(at / 7) + 20 * math.sin(at * 1.3)


def evaluating(at):
    """Two thirds training, then a long evaluation at half the power."""
    return 140.0 if at < SECONDS * 2 / 3 else 70.0


TRACES = {"steps": stepping, "waves": waves, "a long evaluation": evaluating}
IDLE_AFTERWARDS = 25.0


def exact(trace):
    """Joules, by a grid a thousand times finer."""
    return math.fsum(trace((number + 0.5) / 1000) / 1000 for number in range(SECONDS * 1000))


def sampled(trace, chance):
    """Joules as the meter adds them up: every second, as punctually as a busy machine wakes a thread."""
    clock = {"now": 0.0}
    meter = Meter([Trapezoid(lambda: trace(clock["now"]))], clock=lambda: clock["now"])
    while clock["now"] < SECONDS:
        clock["now"] = min(SECONDS, clock["now"] + power.EVERY + chance.uniform(0, 0.02))
        meter.watt_hours()
    return meter.watt_hours().middle * 3600


@pytest.mark.parametrize("name", TRACES)
def test_the_trapezoid_is_right_to_a_hundredth_and_one_sample_is_not(name):
    truth = exact(TRACES[name])
    errors = [abs(sampled(TRACES[name], random.Random(seed)) / truth - 1) for seed in range(5)]  # noqa: S311
    single = IDLE_AFTERWARDS * SECONDS
    assert max(errors) <= 0.01
    assert abs(single / truth - 1) > 0.5


def test_a_counter_gives_the_difference_and_goes_on_when_it_begins_anew():
    readings = iter([95.0, 99.0, 3.0])
    counter = Counter(lambda: next(readings), largest=100.0)
    used = [counter.joules(at) for at in range(3)]
    assert [one.low for one in used] == [0.0, 4.0, 4.0]
    assert used[1] == Band(4.0, 4.0, power.UNSEEN * 4.0)


def test_without_a_meter_the_stated_power_follows_the_processor_time():
    worked = iter([0.0, 0.0, 20.0, 25.0])
    load = Load(100.0, worked=lambda: next(worked), processors=2)
    load.joules(0)
    idle, busy, half = load.joules(10), load.joules(20), load.joules(25)
    assert idle == Band(0.0, pytest.approx(300), 1000.0)
    assert busy == Band(1000.0, pytest.approx(1000), 1000.0)
    assert half == Band(250.0, pytest.approx(325), 500.0)


def test_the_building_is_counted_and_a_meter_that_fails_once_loses_nothing():
    readings = iter([0.0, OSError("gone for a moment"), 7200.0])

    def read():
        value = next(readings)
        if isinstance(value, OSError):
            raise value
        return value

    meter = Meter([Counter(read)], overhead=1.5)
    assert meter.watt_hours().middle == 0
    assert meter.watt_hours().middle == 3.0


def zone(folder, number, name, microjoules):
    place = folder / f"intel-rapl:{number}"
    place.mkdir()
    (place / "name").write_text(f"{name}\n")
    (place / "max_energy_range_uj").write_text("262143328850\n")
    (place / "energy_uj").write_text(f"{microjoules}\n")
    return place


def test_rapl_is_packages_and_their_memory_each_once(tmp_path):
    package = zone(tmp_path, "0", "package-0", 5_000_000)
    zone(tmp_path, "0:0", "core", 3_000_000)
    memory = zone(tmp_path, "0:1", "dram", 1_000_000)
    zone(tmp_path, "1", "psys", 9_000_000)
    meter = meter_of_machine(watts=65, powercap=tmp_path, nvml=Cards([]))
    (package / "energy_uj").write_text("3605000000\n")
    (memory / "energy_uj").write_text("1801000000\n")
    assert (len(rapl(tmp_path)), meter.name) == (2, power.RAPL)
    assert meter.watt_hours().low == pytest.approx(1.5)


def test_a_counter_that_may_not_be_read_is_no_meter(tmp_path):
    (zone(tmp_path, "0", "package-0", 1) / "energy_uj").unlink()
    assert rapl(tmp_path) == []
    assert meter_of_machine(watts=65, powercap=tmp_path, nvml=Cards([])).name == power.ESTIMATED
    assert meter_of_machine(watts=0, powercap=tmp_path, nvml=Cards([])).name == power.UNKNOWN


class Cards:
    """As the driver's library answers; a card that says None does not know."""

    def __init__(self, watts):
        self.watts = watts

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetCount_v2(self, count):
        count._obj.value = len(self.watts)
        return 0

    def nvmlDeviceGetHandleByIndex_v2(self, number, card):
        card._obj.value = number.value + 1
        return 0

    def nvmlDeviceGetPowerUsage(self, card, milliwatts):
        watts = self.watts[card.value - 1]
        if watts is None:
            return 3
        milliwatts._obj.value = int(watts * 1000)
        return 0


def test_each_card_that_knows_is_a_meter(tmp_path):
    cards = Cards([100.0, None, 50.0])
    first, second = nvml_cards(cards)
    first.joules(0), second.joules(0)
    cards.watts[0] = 200.0
    assert (first.joules(10).middle, second.joules(10).middle) == (1500.0, 500.0)
    assert meter_of_machine(watts=65, powercap=tmp_path, nvml=cards).name == power.NVML


def test_a_machine_without_a_driver_has_no_cards(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert nvml_cards() == []


def test_it_is_read_while_nobody_asks_and_not_after_it_was_stopped():
    readings = []
    meter = Meter([Trapezoid(lambda: readings.append(time.monotonic()) or 1.0)])
    meter.start(every=0.005)
    deadline = time.monotonic() + 10
    while len(readings) < 5 and time.monotonic() < deadline:
        time.sleep(0.005)
    meter.stop()
    number = len(readings)
    used = meter.watt_hours()
    assert number >= 5
    assert used.middle > 0
    assert (len(readings), meter.watt_hours()) == (number, used)


def test_reading_takes_less_than_a_thousandth_of_the_time(tmp_path):
    for number in range(4):
        zone(tmp_path, str(number), f"package-{number}", 1)
    for meter in (
        meter_of_machine(watts=65, powercap=tmp_path / "none", nvml=Cards([])),
        meter_of_machine(watts=65, powercap=tmp_path, nvml=Cards([100.0] * 8)),
    ):
        began = time.process_time()
        for _ in range(200):
            meter.watt_hours()
        assert (time.process_time() - began) / 200 < power.EVERY / 1000


def test_attempts_add_up_and_one_that_was_killed_keeps_what_it_wrote(tmp_path):
    first = Journal(tmp_path)
    first.meter = Meter([Fixed(3600.0)])
    first.write("step")
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "step", "energy_wh": 9')
    second = Journal(tmp_path)
    assert second.watt_hours == Band(1.0, 2.0, 3.0)
    second.meter = Meter([Fixed(1800.0)])
    second.write("step")
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert (last["energy_wh"], last["energy_between_wh"]) == (3.0, [1.5, 4.5])


class Fixed:
    """So many joules at the second reading, and none after."""

    def __init__(self, joules):
        self.left = [Band(), Band(joules, 2 * joules, 3 * joules)]

    def joules(self, at):
        return self.left.pop(0) if self.left else Band()


def test_a_log_of_an_earlier_version_is_gone_on_with(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"event": "step", "seconds": 8.0, "energy_wh": 0.5}\n')
    assert Journal(tmp_path).watt_hours == Band(0.5, 0.5, 0.5)
