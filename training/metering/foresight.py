"""What a run will take, told before it begins: from what earlier runs took, or as a plain guess.

A run's time has a part that grows with what is read in training, and a rest (loading, reading held-out sentences,
writing some), of which about half grows with what is written. Both are known of earlier runs, as their energy is.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from training.metering.band import Band, about

# The newest so many runs are looked at.
RUNS = 5
# By what a figure may be wrong, as a factor to either side: with the same base model and method, with another method,
# and without any run of the base model. docs/energy.md says how the first was measured; the others are assumptions.
SAME_METHOD, OTHER_METHOD, GUESS = 2.0, 3.0, 4.0
# The guess: as runs of the packaged model (538 MB of weights) went on two processors.
TOKENS_A_LESSON, TOKENS_PER_SECOND, OTHER_SECONDS, ITS_BYTES = 90, 120.0, 100.0, 538_000_000


@dataclass(frozen=True)
class Earlier:
    """A run that is over."""

    method: str
    lessons: float
    """Read in training, each as often as it was read."""
    written: float
    """Tokens written at most in evaluation."""
    training_seconds: float
    seconds: float
    watt_hours: Band


@dataclass(frozen=True)
class Foretold:
    """What a run will take, and from how many earlier ones that is told; `same_method` of those."""

    watt_hours: Band
    seconds: float
    runs: int
    same_method: bool

    def facts(self) -> dict[str, Any]:
        """As it is stored; `recalled` reads it."""
        return asdict(self)


def recalled(facts: Mapping[str, Any]) -> Foretold | None:
    """What `Foretold.facts` gave; None for nothing."""
    if not facts:
        return None
    return Foretold(Band(**facts["watt_hours"]), facts["seconds"], facts["runs"], facts["same_method"])


def lessons_read(settings: Mapping[str, Any], rows: int) -> float:
    """How many lessons a run with these settings (by section) reads of so many training rows, each time counted."""
    recipe = settings["recipe"]
    whole = rows * recipe["epochs"]
    return float(min(whole, recipe["max_steps"] * recipe["batch_size"] or whole))


def tokens_written(settings: Mapping[str, Any], rows: int) -> float:
    """How many tokens it writes at most to be evaluated on so many test rows."""
    evaluation = settings["evaluation"]
    return float(min(rows, evaluation["generate_items"]) * evaluation["max_new_tokens"])


def earlier_run(report: Mapping[str, Any]) -> Earlier | None:
    """What a run's report tells for later ones; None for one that does not tell it."""
    try:
        settings, data = {"recipe": report["recipe"], "evaluation": report["measured"]}, report["data"]
        found = Earlier(
            method=report["method"],
            lessons=lessons_read(settings, data["train"]["used"]),
            written=tokens_written(settings, data["test"]["used"]),
            training_seconds=report["tokens"] / report["tokens_per_second"],
            seconds=report["seconds"],
            watt_hours=band_of(report["energy"]),
        )
    except (KeyError, TypeError, ZeroDivisionError):
        return None
    return found if found.lessons and found.watt_hours.middle and found.seconds else None


def band_of(energy: Mapping[str, Any]) -> Band:
    """A report's energy in Wh. Reports before there were bounds give what they have."""
    middle = energy.get("wh") or 0.0
    return Band(energy.get("wh_low", middle), middle, energy.get("wh_high", middle))


def foretell(
    *,
    settings: Mapping[str, Any],
    rows: Mapping[str, int],
    earlier: Sequence[Earlier],
    watts: float,
    base_bytes: int = 0,
) -> Foretold | None:
    """What a run with these settings (by section) takes on so many `train` and `test` rows. `earlier`, newest first,
    are runs with its base model; without any, a guess, or None where no watts are stated."""
    lessons, written = lessons_read(settings, rows.get("train", 0)), tokens_written(settings, rows.get("test", 0))
    same = [one for one in earlier if one.method == settings["recipe"]["method"]]
    chosen = (same or list(earlier))[:RUNS]
    if not chosen:
        return _guessed(lessons, watts, base_bytes) if watts else None
    seconds = [_seconds(one, lessons, written) for one in chosen]
    each = [one.watt_hours.middle * took / one.seconds for one, took in zip(chosen, seconds, strict=True)]
    likely = about(statistics.median(each), SAME_METHOD if same else OTHER_METHOD)
    told = Band(min(likely.low, *each), likely.middle, max(likely.high, *each))
    return Foretold(told.rounded(4), round(statistics.median(seconds), 1), len(chosen), bool(same))


def _seconds(one: Earlier, lessons: float, written: float) -> float:
    rest = max(0.0, one.seconds - one.training_seconds)
    more = (1 + written / one.written) / 2 if one.written else 1.0
    return one.training_seconds * lessons / one.lessons + rest * more


def _guessed(lessons: float, watts: float, base_bytes: int) -> Foretold:
    larger = (base_bytes or ITS_BYTES) / ITS_BYTES
    seconds = larger * (lessons * TOKENS_A_LESSON / TOKENS_PER_SECOND + OTHER_SECONDS)
    return Foretold(about(watts * seconds / 3600, GUESS).rounded(4), round(seconds, 1), 0, False)
