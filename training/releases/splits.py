"""Which rows train and which are held out, so that neither a document nor a contributor is on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.worded import Worded

TRAIN, VALIDATION, TEST = "train", "validation", "test"
HELD_OUT_SHARE = 0.1


class CannotSplit(Worded):
    """The rows come from too few documents or people to hold some out without a leak."""


@dataclass(frozen=True)
class SplitRow:
    """What the split looks at: the row's id, its document, and everybody whose words are in it."""

    id: str
    document: str
    contributors: tuple[str, ...]
    may_test: bool = True
    """Whether everybody whose words are in it lets models be measured with them."""
    is_lesson: bool = True
    """Whether it is taught as it is; a counter-example goes where its document and its contributors go."""


def assign_splits(rows: Sequence[SplitRow], before: Mapping[str, str] | None = None) -> dict[str, str]:
    """Map row ids to train, validation or test; rows that would leak are left out of the result.

    Documents that share a contributor are kept together. When that leaves fewer than three groups, documents are
    split one by one, each contributor belongs to the split that holds most of their rows, and their rows elsewhere
    are withheld. Documents with rows that may not measure are trained on before others are; such rows that are held
    out all the same are withheld. The result is a function of the rows alone, in any order.

    Raises CannotSplit when one of the three splits would hold no lesson.
    """
    groups = _linked_groups(rows)
    if len({groups[row.document] for row in rows if row.is_lesson}) < 3:
        groups = {row.document: row.document for row in rows}
    sizes = Counter(dict.fromkeys(groups.values(), 0))
    sizes.update(groups[row.document] for row in rows if row.is_lesson)
    split_of_group = _fill(
        sizes,
        last={groups[row.document] for row in rows if not row.may_test},
        kept=_kept(groups, before or {}),
    )
    by_document = {document: split_of_group[group] for document, group in groups.items()}
    by_person = _home_splits(rows, by_document)
    result = {
        row.id: by_document[row.document]
        for row in rows
        if (row.may_test or by_document[row.document] == TRAIN)
        and all(by_person[person] == by_document[row.document] for person in row.contributors)
    }
    lessons = [row for row in rows if row.is_lesson]
    if {result[row.id] for row in lessons if row.id in result} != {TRAIN, VALIDATION, TEST}:
        people = {person for row in lessons for person in row.contributors}
        raise CannotSplit(
            "Testing needs whole documents and authors that were not trained on: at least three documents, "
            "translated by three people who did not share them. Now there are %(documents)s documents and "
            "%(people)s contributors among %(sentences)s sentences, of which %(measuring)s may measure models.",
            documents=len({row.document for row in lessons}),
            people=len(people),
            sentences=len(lessons),
            measuring=sum(row.may_test for row in lessons),
        )
    return result


def _linked_groups(rows: Sequence[SplitRow]) -> dict[str, str]:
    """Group name by document, where documents with a contributor in common are one group."""
    parent: dict[str, str] = {}

    def root(node: str) -> str:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for row in rows:
        for person in row.contributors:
            first, second = sorted((root("d" + row.document), root("p" + person)))
            parent[second] = first
    return {row.document: root("d" + row.document) for row in rows}


def _kept(groups: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The split that each group had; of several training, then the test split. None when nothing would train."""
    found: dict[str, str] = {}
    for split in (VALIDATION, TEST, TRAIN):
        found |= {group: split for document, group in groups.items() if before.get(document) == split}
    held_out = {group for group, split in found.items() if split != TRAIN}
    return found if held_out != set(groups.values()) else {}


def _fill(sizes: Counter[str], *, last: set[str], kept: Mapping[str, str]) -> dict[str, str]:
    """The largest group trains; the smallest ones fill the test split, then the validation split, those of `last`
    last. Groups that were `kept` stay, but for those that trained where a split has nothing else."""

    def order(group: str) -> tuple[bool, bool, int, str]:
        return group in kept, group in last, sizes[group], hashlib.sha256(group.encode()).hexdigest()

    wanted = HELD_OUT_SHARE * sum(sizes.values())
    ordered = sorted(sizes, key=order)
    result = dict.fromkeys(ordered, TRAIN) | dict(kept)
    waiting = [group for group in ordered if result[group] == TRAIN][:-1]
    for split in (TEST, VALIDATION):
        filled = sum(sizes[group] for group in ordered if result[group] == split)
        reserve = int(split == TEST and VALIDATION not in result.values())
        while len(waiting) > reserve and (not filled or (filled < wanted and waiting[0] not in kept)):
            group = waiting.pop(0)
            result[group] = split
            filled += sizes[group]
    return result


def _home_splits(rows: Sequence[SplitRow], by_document: dict[str, str]) -> dict[str, str]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for person in row.contributors:
            counts[person][by_document[row.document]] += 1
    preference = (TEST, VALIDATION, TRAIN)
    return {
        person: max(preference, key=lambda split: (splits[split], -preference.index(split)))
        for person, splits in counts.items()
    }
