"""Suspect classes of whole texts: the same folds and the same model, with one position for each text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from annotation.consistency.features import of_text
from annotation.consistency.rows import Cut, Mark
from annotation.consistency.suspects import FOLDS, Fault, Suspect, fold_of
from annotation.consistency.tagger import Tagger


def find_suspect_classes(cuts: Sequence[Cut], *, folds: int = FOLDS) -> list[Suspect]:
    """Texts whose class a model that never saw them would not have given, the surest first."""
    where = [fold_of(cut.row.text, folds) for cut in cuts]
    chances: list[dict[str, float]] = [{} for _ in cuts]
    for fold in range(folds):
        learnt = [cut for cut, one in zip(cuts, where, strict=True) if one != fold]
        unseen = [number for number, one in enumerate(where) if one == fold]
        if not learnt or not unseen:
            continue
        tagger = Tagger().fit([[of_text(cut)] for cut in learnt], [[cut.row.said] for cut in learnt])
        read = tagger.read([[of_text(cuts[number])] for number in unseen]).marginals
        for number, row in zip(unseen, read, strict=True):
            chances[number] = dict(zip(tagger.tags, map(float, row), strict=True))
    usual: dict[str, list[float]] = {}
    for cut, row in zip(cuts, chances, strict=True):
        usual.setdefault(cut.row.said, []).append(row.get(cut.row.said, 0.0))
    threshold = {said: max(float(np.mean(values)), 0.05) for said, values in usual.items()}
    found = []
    for number, (cut, row) in enumerate(zip(cuts, chances, strict=True)):
        relative = {said: chance / threshold[said] for said, chance in row.items()}
        held = relative.pop(cut.row.said, 0.0)
        if not relative:
            continue
        other = max(sorted(relative), key=relative.__getitem__)
        end = len(cut.row.text)
        found.append(
            Suspect(
                row=number,
                start=0,
                end=end,
                fault=Fault.TYPE,
                given=Mark(0, end, cut.row.said),
                expected=Mark(0, end, other),
                confidence=relative[other] / (relative[other] + held) if relative[other] + held else 0.0,
            )
        )
    return sorted(found, key=lambda one: (-one.confidence, one.row))
