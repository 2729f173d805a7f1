"""Where marks differ from what the community's own list of names and terms says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.consistency.rows import Cut, Mark
from annotation.text.gazetteer import Gazetteer
from annotation.text.segments import fold


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A listed term in a text that carries another mark than the list says, or none."""

    row: int
    listed: Mark
    given: Mark | None

    @property
    def is_boundary(self) -> bool:
        """Whether the label is the listed one and only the words differ."""
        return self.given is not None and self.given.label == self.listed.label


def find_clashes(cuts: Sequence[Cut], entries: Mapping[str, str]) -> dict[str, list[Clash]]:
    """Clashes by folded term. A term inside a longer mark is no clash: a name may be part of another name."""
    listed = Gazetteer(entries)
    found: dict[str, list[Clash]] = {}
    for row, cut in enumerate(cuts):
        for term in listed.find(cut.row.text):
            mark = Mark(term.start, term.end, term.label)
            touching = [one for one in cut.row.marks if one.start < mark.end and mark.start < one.end]
            holding = [one for one in touching if one.start <= mark.start and mark.end <= one.end]
            if mark in touching or any((one.start, one.end) != (mark.start, mark.end) for one in holding):
                continue
            name = " ".join(fold(cut.row.text[mark.start : mark.end]).split())
            found.setdefault(name, []).append(Clash(row=row, listed=mark, given=next(iter(holding or touching), None)))
    return found
