"""Everything that the corpus says differently in two places, as groups for a person to look at.

A group is ranked by the estimated number of wrong labels in it. `find_groups` looks at marks, `find_answer_groups` at
classes and words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from annotation.consistency.dictionary import Clash, find_clashes
from annotation.consistency.likeness import Likes, find_likes
from annotation.consistency.rows import Cut, Fold, Mark, Row, as_written
from annotation.consistency.surfaces import INSIDE, NOTHING, PART, Surface, find_surfaces
from annotation.text.duplicates import normal_key

# A group in which less than this many labels seem wrong is no news.
LEAST = 0.3
# A listed term that is marked otherwise is wrong about as often as not.
_LISTED = 0.5


class Cause(StrEnum):
    """Why places are in one group."""

    LABEL = "label"
    UNLABELLED = "unlabelled"
    BOUNDARY = "boundary"
    DICTIONARY = "dictionary"
    SAME_TEXT = "same_text"
    NEAR_TEXT = "near_text"


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One place of a group."""

    row: int
    start: int
    end: int
    given: tuple[Mark, ...] = ()
    """The marks that touch it; none where nothing is marked, or where rows are no marks."""
    doubt: float
    """How likely what is said there is wrong."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Places of one surface, or rows of one text, that do not agree."""

    cause: Cause
    surface: str
    spots: tuple[Spot, ...]
    """The most doubtful first."""
    counts: Mapping[str, int]
    """How often what is said; "" for nothing, and INSIDE and PART for marks with other edges."""
    entropy: float
    estimate: float
    """The estimated number of wrong labels."""
    expected: str
    """What most places say, "" for nothing."""


def find_groups(cuts: Sequence[Cut], entries: Mapping[str, str] | None = None) -> list[Group]:
    """Groups of surfaces that are marked differently, and of listed terms that are; the most wrong first."""
    groups = [_of_surface(cuts, surface) for surface in find_surfaces(cuts) if len(surface.counts) > 1]
    clashes = find_clashes(cuts, entries or {})
    groups += [_of_term(cuts, clash) for clash in clashes.values()]
    kept = [group for group in groups if group.estimate >= LEAST]
    return sorted(kept, key=lambda one: (-one.estimate, one.surface, one.cause))


def find_answer_groups(rows: Sequence[Row], *, words: bool, orthography: Fold = as_written) -> list[Group]:
    """Groups of like texts that were classed or translated differently."""
    return [_of_likes(rows, likes) for likes in find_likes(rows, words=words, orthography=orthography)]


def _of_surface(cuts: Sequence[Cut], surface: Surface) -> Group:
    weight: dict[str, float] = defaultdict(float)
    spots = []
    for place, wrong in zip(surface.places, surface.wrong, strict=True):
        weight[place.says] += float(wrong)
        cut = cuts[place.row]
        start, end = cut.place(place.first, place.last)
        given = tuple(mark for mark in cut.row.marks if mark.start < end and start < mark.end)
        spots.append(Spot(row=place.row, start=start, end=end, given=given, doubt=float(wrong)))
    first = surface.places[0]
    text = cuts[first.row].row.text
    start, end = cuts[first.row].place(first.first, first.last)
    counts = surface.counts
    plain = Counter({says: many for says, many in counts.items() if says not in (INSIDE, PART)})
    return Group(
        cause=_cause(weight, counts),
        surface=text[start:end],
        spots=tuple(sorted(spots, key=lambda spot: (-spot.doubt, spot.row, spot.start))),
        counts=dict(counts),
        entropy=surface.entropy,
        estimate=surface.estimate,
        expected=plain.most_common(1)[0][0] if plain else "",
    )


def _cause(weight: Mapping[str, float], counts: Counter[str]) -> Cause:
    """Named after what most of the doubt comes from."""
    edges = weight.get(INSIDE, 0.0) + weight.get(PART, 0.0)
    labels = [says for says in counts if says not in (NOTHING, INSIDE, PART)]
    if edges > sum(weight.values()) / 2:
        return Cause.BOUNDARY
    return Cause.LABEL if len(labels) > 1 else Cause.UNLABELLED if counts[NOTHING] else Cause.BOUNDARY


def _of_term(cuts: Sequence[Cut], clashes: Sequence[Clash]) -> Group:
    listed = clashes[0].listed
    spots = [
        Spot(
            row=clash.row,
            start=clash.listed.start,
            end=clash.listed.end,
            given=(clash.given,) if clash.given else (),
            doubt=_LISTED,
        )
        for clash in clashes
    ]
    says = Counter(
        NOTHING if clash.given is None else PART if clash.is_boundary else clash.given.label for clash in clashes
    )
    return Group(
        cause=Cause.DICTIONARY,
        surface=cuts[clashes[0].row].row.text[listed.start : listed.end],
        spots=tuple(spots),
        counts=dict(says),
        entropy=0.0,
        estimate=_LISTED * len(spots),
        expected=listed.label,
    )


def _of_likes(rows: Sequence[Row], likes: Likes) -> Group:
    expected = normal_key(likes.expected)
    spots = [
        Spot(
            row=row,
            start=0,
            end=len(rows[row].text),
            doubt=(0.5 if likes.near else 1.0) * (normal_key(rows[row].said) != expected),
        )
        for row in likes.rows
    ]
    return Group(
        cause=Cause.NEAR_TEXT if likes.near else Cause.SAME_TEXT,
        surface=likes.text,
        spots=tuple(sorted(spots, key=lambda spot: (-spot.doubt, spot.row))),
        counts=dict(Counter(rows[row].said for row in likes.rows)),
        entropy=likes.entropy(rows),
        estimate=likes.estimate,
        expected=likes.expected,
    )
