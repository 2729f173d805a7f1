"""Labels that a model which never saw them doubts."""

from __future__ import annotations

import pytest

from annotation.consistency.classes import find_suspect_classes
from annotation.consistency.rows import Mark, Row, cut_all
from annotation.consistency.suspects import Fault, fault_of, find_suspects, fold_of, spans_of, tags_of
from tests.consistency.made import cuts, row

NAMES = ("Ana", "Bo", "Cai", "Dor", "Eli", "Fen", "Gus", "Hal", "Ivo", "Jan")
TOWNS = ("Luma", "Mira", "Nofa", "Opal", "Pelo", "Quin", "Rasa", "Sofa", "Tula", "Ursa")


@pytest.mark.parametrize(
    ("given", "expected", "fault"),
    [
        (None, (2, 4, "PER"), Fault.MISSED),
        ((2, 4, "PER"), None, Fault.SPURIOUS),
        ((2, 4, "PER"), (2, 4, "LOC"), Fault.TYPE),
        ((2, 5, "PER"), (2, 4, "PER"), Fault.LONG),
        ((3, 4, "PER"), (2, 4, "PER"), Fault.SHORT),
        ((1, 3, "PER"), (2, 5, "PER"), Fault.SHORT),
        ((1, 3, "PER"), (2, 4, "PER"), Fault.LONG),
        ((2, 3, "PER"), (2, 4, "LOC"), Fault.BOTH),
    ],
)
def test_faults_are_named_after_what_differs(given: object, expected: object, fault: Fault) -> None:
    assert fault_of(given, expected) == fault  # type: ignore[arg-type]


def test_tags_spell_spans_and_back() -> None:
    cut = cuts("[PER Ana Bo] meets [PER Cai] [LOC Luma]")[0]

    assert tags_of(cut) == ["B-PER", "I-PER", "O", "B-PER", "B-LOC"]
    assert spans_of(tags_of(cut)) == cut.spans
    assert spans_of(["O", "I-PER", "I-LOC"]) == [(1, 2, "PER"), (2, 3, "LOC")]


def sentences() -> list[str]:
    return [f"then [PER {name}] walks from [LOC {town}] home" for name in NAMES for town in TOWNS]


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("[LOC Mira]", "[PER Mira]", Fault.TYPE),
        ("[LOC Mira]", "Mira", Fault.MISSED),
        ("[LOC Mira] home", "[LOC Mira home]", Fault.LONG),
        ("then [PER Cai]", "[ORG then] [PER Cai]", Fault.SPURIOUS),
    ],
)
def test_the_planted_fault_comes_first_and_is_named(right: str, wrong: str, fault: Fault) -> None:
    written = sentences()
    place = next(number for number, one in enumerate(written) if "Cai" in one and "Mira" in one)
    written[place] = written[place].replace(right, wrong)

    first = find_suspects(cuts(*written))[0]

    assert (first.row, first.fault) == (place, fault)


def test_texts_that_say_the_same_are_in_one_fold() -> None:
    assert fold_of("Luma, home!", 5) == fold_of("luma home", 5)


def test_nothing_at_all_is_no_error() -> None:
    assert find_suspects([]) == []
    assert find_suspects(cuts("", "...")) == []
    assert find_suspect_classes([]) == []


def test_a_class_that_its_words_speak_against_comes_first() -> None:
    rows = [Row(key=str(n), text=f"rain and wind {n}", said="weather") for n in range(20)]
    rows += [Row(key=str(n), text=f"goal and match {n}", said="sport") for n in range(20)]
    rows[7] = Row(key="7", text="rain and wind 7", said="sport")

    first = find_suspect_classes(cut_all(rows))[0]

    assert (first.row, first.expected) == (7, Mark(0, 15, "weather"))


def test_marks_of_scripts_without_spaces_are_cut_by_clusters() -> None:
    cut = cut_all([row("[LOC กขค]งจ")])[0]

    assert cut.spans == [(0, 3, "LOC")]
