"""How much electricity is used while a process works, added up over time.

Energy is the integral of power. Meters that count joules give it as a difference; those that say watts are read every
second and added up by the trapezoid rule; where there is no meter, the processor time that the process used and the
stated power give an estimate with a wide band. A single reading, times the duration, is none of these: it is wrong by
as much as the machine was not then doing what it did on average.

Nothing here changes what a run learns: it reads counters, and draws no random number.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from training.metering.band import Band

POWERCAP = Path("/sys/class/powercap")
EVERY = 1.0  # seconds between two readings
# Share of its full power that a machine draws while it does nothing: an assumption; servers measure 0.2 to 0.5.
IDLE = 0.3
# What meters inside a chip do not see (board, memory, disks, fans, the power supply's loss) as a factor: an assumption.
UNSEEN = 1.3

# Where a figure comes from, in words that pages translate.
ESTIMATED = "estimated from processor time and the stated power"
RAPL = "measured by the processor's own meter (RAPL)"
NVML = "measured by the graphics cards (NVML), the processor estimated"
BOTH = "measured by the meters of processor and graphics cards (RAPL, NVML)"
UNKNOWN = "unknown"


class Source(Protocol):
    """Something that knows what is used."""

    def joules(self, at: float) -> Band:
        """Joules since the last call, which was earlier than `at` seconds; none at the first. Raises OSError."""


class Counter:
    """A meter that counts joules; after `largest` it begins anew."""

    def __init__(self, read: Callable[[], float], largest: float = math.inf) -> None:
        self._read, self._largest = read, largest
        self._last: float | None = None

    def joules(self, at: float) -> Band:
        """What it counted since."""
        now = self._read()
        used = 0.0 if self._last is None else now - self._last
        self._last = now
        return _metered(used if used >= 0 or self._largest == math.inf else used + self._largest)


class Trapezoid:
    """A meter that says watts: between two readings, power is taken to change evenly."""

    def __init__(self, watts: Callable[[], float]) -> None:
        self._watts = watts
        self._last: tuple[float, float] | None = None

    def joules(self, at: float) -> Band:
        """The area under the line between the last reading and this one."""
        now = self._watts()
        before, self._last = self._last, (at, now)
        return _metered(0.0 if before is None else (at - before[0]) * (before[1] + now) / 2)


class Load:
    """No meter: processor time that this process used, and the power that is stated for the machine at full load.

    Least: only the share of the machine that was used counts. Most: full power all the time. Between: the machine idles
    at `IDLE` of its full power, and rises from there with what was used.
    """

    def __init__(
        self,
        watts: float,
        *,
        worked: Callable[[], float] = time.process_time,
        processors: int | None = None,
        processes: int = 1,
    ) -> None:
        """`processes` like this one work on the machine."""
        self._watts, self._worked = watts, worked
        self._share = processes / (processors or os.cpu_count() or 1)
        self._last: tuple[float, float] | None = None

    def joules(self, at: float) -> Band:
        """From the time that passed and the time that was worked."""
        now = (at, self._worked())
        before, self._last = self._last, now
        if before is None:
            return Band()
        passed = now[0] - before[0]
        busy = min(passed, (now[1] - before[1]) * self._share)
        return Band(busy, IDLE * passed + (1 - IDLE) * busy, passed).times(self._watts)


def _metered(joules: float) -> Band:
    return Band(joules, joules, UNSEEN * joules)


class Meter:
    """Adds up sources in a thread of its own, until it is stopped."""

    def __init__(
        self,
        sources: Sequence[Source] = (),
        *,
        name: str = UNKNOWN,
        overhead: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`name` says what the sources are; `overhead` is the building's (power usage effectiveness)."""
        self.name = name
        self._sources, self._overhead, self._clock = list(sources), overhead, clock
        self._joules = Band()
        self._lock, self._over = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self.watt_hours()

    def watt_hours(self) -> Band:
        """What was used until now."""
        with self._lock:
            for source in self._sources:
                try:
                    self._joules += source.joules(self._clock())
                except OSError:
                    continue  # it is read again in a second, and what was missed is in the difference
            return self._joules.times(self._overhead / 3600)

    def start(self, every: float = EVERY) -> None:
        """Read every so many seconds, until stopped."""
        if self._sources:
            self._thread = threading.Thread(target=self._watch, args=(every,), name="energy", daemon=True)
            self._thread.start()

    def _watch(self, every: float) -> None:
        while not self._over.wait(every):
            self.watt_hours()

    def stop(self) -> None:
        """Read no more; what was used stays known."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self.watt_hours()
        self._sources = []


def meter_of_machine(
    *, watts: float, overhead: float = 1.0, processes: int = 1, powercap: Path = POWERCAP, nvml: Any = None
) -> Meter:
    """The best meter there is here. `watts` is the stated power at full load, without graphics cards; 0: unknown."""
    processor: list[Source] = [*rapl(powercap)]
    cards = nvml_cards(nvml)
    named = {(True, True): BOTH, (True, False): RAPL, (False, True): NVML, (False, False): ESTIMATED}
    name = named[bool(processor), bool(cards)]
    if not processor and watts:
        processor = [Load(watts, processes=processes)]
    sources = [*processor, *cards]
    return Meter(sources, name=name if sources else UNKNOWN, overhead=overhead)


def rapl(powercap: Path = POWERCAP) -> list[Counter]:
    """The counters of processors and their memory that may be read (Linux; Intel, and AMD from Zen on).

    Only root reads them, unless it is changed; virtual machines have none. They count for whoever uses the processor.
    """
    found = []
    for zone in sorted(powercap.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text(encoding="ascii").strip()
            largest = float((zone / "max_energy_range_uj").read_text(encoding="ascii")) / 1e6
            counter = _microjoules(zone / "energy_uj")
            counter()
        except (OSError, ValueError):
            continue
        # Cores and the rest of a package are in the package's own figure, and psys has all of it again.
        if name.startswith("package") or name == "dram":
            found.append(Counter(counter, largest))
    return found


def _microjoules(path: Path) -> Callable[[], float]:
    return lambda: float(path.read_text(encoding="ascii")) / 1e6


def nvml_cards(library: Any = None) -> list[Trapezoid]:
    """The power that each NVIDIA card says it draws, by the driver's own library; none where there is no driver."""
    try:
        library = library or ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return []
    count = ctypes.c_uint()
    if library.nvmlInit_v2() or library.nvmlDeviceGetCount_v2(ctypes.byref(count)):
        return []
    found = []
    for number in range(count.value):
        card = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(number), ctypes.byref(card)):
            continue
        watts = _watts_of(library, card)
        with contextlib.suppress(OSError):  # cards that do not know what they draw
            watts()
            found.append(Trapezoid(watts))
    return found


def _watts_of(library: Any, card: ctypes.c_void_p) -> Callable[[], float]:
    def watts() -> float:
        milliwatts = ctypes.c_uint()
        if code := library.nvmlDeviceGetPowerUsage(card, ctypes.byref(milliwatts)):
            raise OSError(code, "NVML does not say the power")
        return milliwatts.value / 1000

    return watts
