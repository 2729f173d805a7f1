"""A trial: plant wrong labels, look for them in several ways, repair what is shown, and see what a tagger gains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from annotation.consistency.features import of_words
from annotation.consistency.planting import Planted, plant
from annotation.consistency.ranking import apart, as_suspects, together
from annotation.consistency.rows import Cut, Mark, Row, cut_all
from annotation.consistency.surfaces import INSIDE, PART, Surface, find_surfaces
from annotation.consistency.suspects import Suspect, find_suspects, fold_of, spans_of, tags_of
from annotation.consistency.tagger import Tagger

PART_HELD_OUT = 5
FIRST = 100
SHUFFLES = 20

# How often a word beside a made-up name tells its kind; otherwise a capitalised word that is no name stands there.
_CLUE = 0.6
_SYLLABLES = ("ba", "ke", "li", "mo", "nu", "ra", "si", "to", "vu", "ze", "dan", "fel", "gor", "hin", "jum")


class Spot(NamedTuple):
    """A place to look at."""

    row: int
    start: int
    end: int


def made_up(*, rows: int, seed: int) -> list[Row]:
    """Sentences of invented words with names of three kinds, which stand beside words that go with their kind."""
    chance = Random(seed)  # noqa: S311 - made-up text

    def word(size: int) -> str:
        return "".join(chance.choice(_SYLLABLES) for _ in range(size))

    plain = [word(2) for _ in range(150)]
    names = {label: [word(3).title() for _ in range(150)] for label in ("PER", "LOC", "ORG")}
    beside = {label: [word(2) for _ in range(4)] for label in names}
    found = []
    for number in range(rows):
        words: list[str] = []
        spans = []
        for _ in range(chance.randint(1, 3)):
            words += [chance.choice(plain) for _ in range(chance.randint(2, 5))]
            label = chance.choice(sorted(names))
            words.append(chance.choice(beside[label]) if chance.random() < _CLUE else chance.choice(plain).title())
            size = chance.choice((1, 1, 2))
            spans.append((len(words), len(words) + size, label))
            words += [chance.choice(names[label]) for _ in range(size)]
        words += [chance.choice(plain), "."]
        cut = Cut(Row(key=str(number), text=" ".join(words)))
        marks = tuple(Mark(*cut.place(first, last), label) for first, last, label in spans)
        found.append(replace(cut.row, marks=marks))
    return found


def try_once(rows: Sequence[Row], *, share: float, seed: int) -> dict[str, float]:
    """Plant in four fifths of the rows, search there, and train taggers that are tested on the last fifth."""
    right = [row for row in rows if fold_of(row.text, PART_HELD_OUT)]
    tested = cut_all([row for row in rows if not fold_of(row.text, PART_HELD_OUT)])
    noisy, planted = plant(right, share=share, seed=seed)
    cuts = cut_all(noisy)
    surfaces = find_surfaces(cuts)
    by_surface = as_suspects(cuts, surfaces)
    suspects = find_suspects(cuts)
    ways: dict[str, list[Spot]] = {
        "majority": majority(cuts, surfaces),
        "detector": _spots(apart(by_surface)),
        "suspects": _spots(apart(suspects)),
        "together": _spots(together(suspects, by_surface)),
    }
    facts: dict[str, float] = {"planted": len(planted), "rows": len(right), "marks": sum(len(r.marks) for r in right)}
    for name, spots in ways.items():
        facts[f"{name}_precision"], facts[f"{name}_recall"] = found_of(spots, planted)
    facts["random_precision"], facts["random_recall"] = _by_chance(cuts, planted, seed)
    budget = round(share * len(right))
    shown = Random(seed).sample(range(len(right)), budget)  # noqa: S311
    repaired = {name: repair(noisy, right, _rows_of(spots, budget)) for name, spots in ways.items()}
    taught = {"noisy": noisy, "random": repair(noisy, right, shown), **repaired, "right": right}
    for name in ("noisy", "random", "majority", "together", "right"):
        facts[f"f1_{name}"] = f1(cut_all(taught[name]), tested)
    return facts


def majority(cuts: Sequence[Cut], surfaces: Iterable[Surface]) -> list[Spot]:
    """Plain surface majority: what differs from what most places of its words say, the clearest majority first.

    Places that say nothing are counted too; without them it would find no dropped label.
    """
    found = []
    for surface in surfaces:
        places = [place for place in surface.places if place.says not in (INSIDE, PART)]
        if len(places) < 2:
            continue
        top, many = Counter(place.says for place in places).most_common(1)[0]
        found += [
            (-many / len(places), -len(places), Spot(place.row, *cuts[place.row].place(place.first, place.last)))
            for place in places
            if place.says != top
        ]
    return [spot for *_, spot in sorted(found)]


def _spots(suspects: Iterable[Suspect]) -> list[Spot]:
    return [Spot(one.row, one.start, one.end) for one in suspects]


def found_of(spots: Sequence[Spot], planted: Sequence[Planted]) -> tuple[float, float]:
    """Precision of the first hundred spots, and the share of what was planted that as many spots as that reach.

    A spot that overlaps a planted mark finds it; a second spot on the same one finds nothing.
    """
    waiting: dict[int, list[Planted]] = {}
    for one in planted:
        waiting.setdefault(one.row, []).append(one)
    hits = []
    for spot in spots[: max(FIRST, len(planted))]:
        here = waiting.get(spot.row, [])
        hit = next((one for one in here if spot.start < one.end and one.start < spot.end), None)
        if hit is not None:
            here.remove(hit)
        hits.append(hit is not None)
    return sum(hits[:FIRST]) / FIRST, sum(hits[: len(planted)]) / max(1, len(planted))


def _by_chance(cuts: Sequence[Cut], planted: Sequence[Planted], seed: int) -> tuple[float, float]:
    """Marks in random order, on average."""
    spots = [Spot(row, *cut.place(first, last)) for row, cut in enumerate(cuts) for first, last, _ in cut.spans]
    chance, tried = Random(seed), []  # noqa: S311
    for _ in range(SHUFFLES):
        chance.shuffle(spots)
        tried.append(found_of(spots, planted))
    return sum(one for one, _ in tried) / SHUFFLES, sum(other for _, other in tried) / SHUFFLES


def _rows_of(spots: Iterable[Spot], budget: int) -> list[int]:
    """The first rows that the spots lead to."""
    return list(dict.fromkeys(spot.row for spot in spots))[:budget]


def repair(noisy: Sequence[Row], right: Sequence[Row], shown: Iterable[int]) -> list[Row]:
    """The rows after an expert who is always right has seen some of them."""
    seen = set(shown)
    return [right[place] if place in seen else row for place, row in enumerate(noisy)]


def f1(learnt: Sequence[Cut], tested: Sequence[Cut]) -> float:
    """Exact span F1 (micro) of a tagger that learnt from one set of texts, on another."""
    tagger = Tagger().fit([of_words(cut) for cut in learnt if cut.words], [tags_of(cut) for cut in learnt if cut.words])
    seen = [cut for cut in tested if cut.words]
    best = tagger.read([of_words(cut) for cut in seen]).best()
    offset = hits = made = wanted = 0
    for cut in seen:
        given = set(spans_of([tagger.tags[place] for place in best[offset : offset + len(cut.words)]]))
        gold = set(spans_of(tags_of(cut)))
        offset += len(cut.words)
        hits, made, wanted = hits + len(given & gold), made + len(given), wanted + len(gold)
    return 2 * hits / max(1, made + wanted)
