"""What answers hold, counted: lengths, labels, varieties, months, and how evenly people contribute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.answers.querysets import AnswerQuerySet

# Beyond this the newest are counted, and the page says so.
MOST = 20_000
LENGTHS = (20, 40, 80, 160, 320, 640)
MOST_BARS = 12


@dataclass(frozen=True)
class Bar:
    """One thing and how often it comes."""

    name: str
    number: int


class Bars(list[Bar]):
    """Bars, and the number of the longest."""

    @property
    def most(self) -> int:
        """The largest number, or 1."""
        return max((bar.number for bar in self), default=1) or 1


@dataclass(frozen=True)
class Counts:
    """Bars of each sort for the answers that were counted."""

    counted: int
    lengths: Bars
    labels: Bars
    varieties: Bars
    months: Bars
    people: Bars
    largest_share: float
    """The share of the person who wrote most."""


def count_answers(answers: AnswerQuerySet) -> Counts:
    """Count at most the newest `MOST` answers."""
    rows = list(
        answers.order_by("-created_at").values_list(
            "text", "payload", "author", "created_at", "task__item__source__variety__name"
        )[:MOST]
    )
    people = Counter(author for _, _, author, _, _ in rows)
    ranked = [number for _, number in people.most_common()]
    return Counts(
        counted=len(rows),
        lengths=_lengths(len(text) for text, *_ in rows if text),
        labels=_most(Counter(label for _, payload, *_ in rows for label in labels_in(payload))),
        varieties=_most(Counter(variety or "–" for *_, variety in rows)),
        months=Bars(Bar(*each) for each in sorted(Counter(f"{at:%Y-%m}" for *_, at, _ in rows).items())),
        people=Bars(Bar(str(place), number) for place, number in enumerate(ranked[:MOST_BARS], 1)),
        largest_share=ranked[0] / len(rows) if rows else 0.0,
    )


def spread(values: Sequence[float], *, bins: int = 8) -> Bars:
    """How often values lie in each of a few even steps between the least and the largest."""
    if not values:
        return Bars()
    low, high = min(values), max(values)
    step = (high - low) / bins or 1.0
    counts = Counter(min(int((value - low) / step), bins - 1) for value in values)
    used = bins if high > low else 1
    return Bars(
        Bar(f"{low + place * step:.2f} – {low + (place + 1) * step:.2f}", counts[place]) for place in range(used)
    )


def labels_in(payload: Mapping[str, Any]) -> list[str]:
    """The labels of spans or classes, and what was chosen."""
    spans = [span["label"] for span in payload.get("spans", [])]
    choice = [payload["choice"]] if isinstance(payload.get("choice"), str) else []
    return [*spans, *payload.get("labels", []), *choice]


def _lengths(lengths: Iterable[int]) -> Bars:
    """In steps that double, for lengths differ by multiples."""
    counts = Counter(next((step for step in LENGTHS if length <= step), 0) for length in lengths)
    names = {step: f"≤ {step}" for step in LENGTHS} | {0: f"> {LENGTHS[-1]}"}
    return Bars(Bar(names[step], counts[step]) for step in (*LENGTHS, 0)) if counts else Bars()


def _most(counts: Counter[str]) -> Bars:
    return Bars(Bar(*each) for each in counts.most_common(MOST_BARS))
