"""What people said of answers, as a release holds it beside its lessons: data/{train,validation,test}.judged.jsonl.

A line is an answer that was judged,

    {"id": ..., "group": ..., "lesson": {"system", "request", "completion"}, "decided": true | false | null,
     "votes": [{"by": pseudonym, "good": true | false, "skill": 0 to 1}, ...]}

or two wordings that were compared:

    {"id": ..., "lesson": {"system", "request"}, "options": [one, other],
     "votes": [{"by": pseudonym, "first": true | false, "skill": 0 to 1}, ...]}

Answers with the same `group` answer the same request. `skill` is the chance that a person's vote is right
(annotation/aggregation/skill.py); a vote of 0.5 says nothing. `decided` is an expert's word, which ends the matter.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from training.recipes.text import Row

# Nobody is taken to be surer than this, and nobody's vote is turned round.
SUREST, LEAST_SURE = 0.99, 0.5
# Below this the voices cancel each other out, and there is nothing to learn.
LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class Judged:
    """An answer, whether it is taken to be good, and how firmly (0 to 1)."""

    row: Row
    group: str
    is_good: bool
    weight: float


@dataclass(frozen=True)
class Preferred:
    """Two answers to the same request, of which the first is taken to be better, and how firmly (0 to 1)."""

    id: str
    better: Row
    worse: Row
    weight: float


def belief(votes: Sequence[tuple[bool, float]]) -> float:
    """The probability that a yes is right, from (yes or no, skill) of voters who err independently: the log-odds of
    their skills add up (Nitzan & Paroush 1982). Without votes 0.5."""
    odds = 0.0
    for yes, skill in votes:
        sure = min(max(skill, LEAST_SURE), SUREST)
        odds += math.log(sure / (1 - sure)) * (1 if yes else -1)
    return 1 / (1 + math.exp(-odds))


def read_judged(path: Path | str) -> list[Judged]:
    """The judged answers of a file on which the voices do not cancel out. Raises ValueError that names the line."""
    found = []
    for value in _lines(path):
        if "options" in value:
            continue
        votes = [(bool(vote["good"]), float(vote["skill"])) for vote in value["votes"]]
        good = belief(votes) if value.get("decided") is None else float(bool(value["decided"]))
        if abs(2 * good - 1) >= LEAST_WEIGHT:
            lesson = value["lesson"]
            row = Row(str(value["id"]), lesson["system"], lesson["request"], lesson["completion"])
            found.append(Judged(row, str(value.get("group", "")), good > 0.5, abs(2 * good - 1)))
    return found


def read_preferred(path: Path | str) -> list[Preferred]:
    """The pairs of a file: wordings that were compared, and every good answer beside every bad one of its group.

    Raises ValueError that names the line.
    """
    found = []
    for value in _lines(path):
        if "options" not in value:
            continue
        first = belief([(bool(vote["first"]), float(vote["skill"])) for vote in value["votes"]])
        if abs(2 * first - 1) >= LEAST_WEIGHT:
            lesson = value["lesson"]
            rows = [Row(str(value["id"]), lesson["system"], lesson["request"], option) for option in value["options"]]
            better, worse = rows if first > 0.5 else rows[::-1]
            found.append(Preferred(str(value["id"]), better, worse, abs(2 * first - 1)))
    groups: dict[str, list[Judged]] = {}
    for one in read_judged(path):
        groups.setdefault(one.group or one.row.id, []).append(one)
    for answers in groups.values():
        good, bad = ([one for one in answers if one.is_good is wanted] for wanted in (True, False))
        for one, other in product(good, bad):
            if one.row.completion != other.row.completion:
                pair = f"{one.row.id}>{other.row.id}"
                found.append(Preferred(pair, one.row, other.row, one.weight * other.weight))
    return found


def _lines(path: Path | str) -> Iterator[dict[str, Any]]:
    # Not splitlines(): a sentence may hold U+2028 and its like, which JSON leaves as they are.
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            lesson = value["lesson"]
            texts = [lesson["system"], lesson["request"], *(value.get("options") or [lesson["completion"]])]
            key = "first" if "options" in value else "good"
            votes = [(vote[key], float(vote["skill"])) for vote in value["votes"]]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"Line {number} of {Path(path).name} is no judgement ({error!r}).") from error
        if not all(isinstance(text, str) for text in texts) or not all(0 <= skill <= 1 for _, skill in votes):
            raise ValueError(f"Line {number} of {Path(path).name} is no judgement.")
        yield value
