"""Whether a model serves everybody who speaks the language: base model against adapter for each variety, for each way
of writing, and on the same held-out sentences without their accents and marks."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from training.evaluation.scores import bits_per_byte, difference_interval

# Of a group with fewer sentences nothing is judged: an interval from them says too little.
LEAST_OF_GROUP = 10
# Combining classes of marks that many leave out on a keyboard without them: vowel points of Hebrew, Arabic and Syriac,
# and what stands above and below letters. Vowel signs and viramas of other scripts are letters, and stay.
POINTS, ABOVE_AND_BELOW = range(10, 37), range(200, 241)


def part_of(
    name: str, base: Sequence[float], adapter: Sequence[float], sizes: Sequence[int], *, seed: int = 0
) -> dict[str, Any]:
    """Bits per byte of both on some sentences, adapter minus base with its 95 % interval, and in one word what that
    says: better or worse (the whole interval on one side), unsure, or few."""
    interval = difference_interval(base, adapter, sizes, seed=seed)
    says = "better" if interval.high < 0 else "worse" if interval.low > 0 else "unsure"
    return {
        "name": name,
        "sentences": len(sizes),
        "base_bpb": bits_per_byte(base, sizes),
        "adapter_bpb": bits_per_byte(adapter, sizes),
        "difference_ci95": [interval.low, interval.high],
        "says": says if len(sizes) >= LEAST_OF_GROUP else "few",
    }


def by_group(
    groups: Sequence[str], base: Sequence[float], adapter: Sequence[float], sizes: Sequence[int], *, seed: int = 0
) -> list[dict[str, Any]]:
    """`part_of` for each group that there is, the largest first; what has no name is a group, too."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        places[group].append(place)
    return [
        part_of(group, *([values[place] for place in some] for values in (base, adapter, sizes)), seed=seed)  # type: ignore[arg-type]
        for group, some in sorted(places.items(), key=lambda one: (-len(one[1]), one[0]))
    ]


def without_marks(text: str) -> str:
    """The text as somebody writes it whose keyboard has no accents, tone marks or vowel points."""
    apart = unicodedata.normalize("NFD", text)
    kept = (one for one in apart if unicodedata.combining(one) not in (*POINTS, *ABOVE_AND_BELOW))
    return unicodedata.normalize("NFC", "".join(kept))
