"""Both witnesses together: what a model that never saw a text says of a place, and what other places say of its words.

Their log odds are added, as for independent witnesses (naive Bayes), the model's with less weight because it is surer
than it should be. The constants were chosen on noise planted with other seeds than those of docs/consistency.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from annotation.consistency.rows import Cut, Mark
from annotation.consistency.surfaces import NOTHING, Place, Surface
from annotation.consistency.suspects import Suspect, chance, fault_of, odds

MODEL = 0.5
# The log odds of a place of which one of the two says nothing.
UNKNOWN_SURFACE, UNDOUBTED = -5.0, -1.5


def as_suspects(cuts: Sequence[Cut], surfaces: Iterable[Surface]) -> list[Suspect]:
    """What the surfaces alone point to, the likeliest wrong first; surfaces that agree with themselves are left out."""
    found = []
    for surface in surfaces:
        if len(surface.counts) < 2:
            continue
        for place, wrong, better in zip(surface.places, surface.wrong, surface.better, strict=True):
            found.append(_as_suspect(cuts[place.row], place, float(wrong), better))
    return sorted(found, key=lambda one: (-one.confidence, one.row, one.start, one.end))


def _as_suspect(cut: Cut, place: Place, wrong: float, better: str) -> Suspect:
    given, expected = place.mark, (place.first, place.last, better) if better != NOTHING else None
    spans = [span for span in (given, expected) if span is not None] or [(place.first, place.last, "")]
    start, end = cut.place(min(span[0] for span in spans), max(span[1] for span in spans))
    return Suspect(
        row=place.row,
        start=start,
        end=end,
        fault=fault_of(given, expected),
        given=Mark(*cut.place(given[0], given[1]), given[2]) if given else None,
        expected=Mark(*cut.place(expected[0], expected[1]), expected[2]) if expected else None,
        confidence=wrong,
    )


def together(suspects: Iterable[Suspect], by_surface: Iterable[Suspect]) -> list[Suspect]:
    """One list of both, the surest first; what both point to stands once, with the model's reading of it."""
    others: dict[int, list[Suspect]] = defaultdict(list)
    for other in by_surface:
        others[other.row].append(other)
    found: list[Suspect] = []
    covered: set[int] = set()
    for one in suspects:
        touching = [other for other in others[one.row] if other.start < one.end and one.start < other.end]
        covered.update(map(id, touching))
        witness = max((odds(other.confidence) for other in touching), default=UNKNOWN_SURFACE)
        found.append(replace(one, confidence=chance(MODEL * odds(one.confidence) + witness)))
    for rows in others.values():
        found += [
            replace(other, confidence=chance(UNDOUBTED + odds(other.confidence)))
            for other in rows
            if id(other) not in covered
        ]
    return apart(sorted(found, key=lambda one: (-one.confidence, one.row, one.start, one.end)))


def apart(suspects: Iterable[Suspect]) -> list[Suspect]:
    """The list without those that overlap an earlier one: each place is looked at once."""
    shown: dict[int, list[tuple[int, int]]] = defaultdict(list)
    kept = []
    for one in suspects:
        if not any(start < one.end and one.start < end for start, end in shown[one.row]):
            shown[one.row].append((one.start, one.end))
            kept.append(one)
    return kept
