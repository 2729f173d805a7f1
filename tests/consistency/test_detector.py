"""What the corpus says differently in two places."""

from __future__ import annotations

import pytest

from annotation.consistency.detector import Cause, find_answer_groups, find_groups
from annotation.consistency.dictionary import find_clashes
from annotation.consistency.ranking import as_suspects, together
from annotation.consistency.rows import Mark, Row, cut_all
from annotation.consistency.subsets import adjust, find_odd_subsets
from annotation.consistency.surfaces import INSIDE, PART, find_surfaces, stem_of
from annotation.consistency.suspects import Fault
from tests.consistency.made import cuts, row

MANY = ("goes to [LOC Luma] .",) * 8


def test_the_odd_label_of_a_surface_is_the_most_doubtful() -> None:
    groups = find_groups(cuts(*MANY, "goes to [PER Luma] ."))

    assert (groups[0].surface, groups[0].cause, groups[0].expected) == ("Luma", Cause.LABEL, "LOC")
    assert groups[0].counts == {"LOC": 8, "PER": 1}
    assert groups[0].spots[0].row == 8
    assert groups[0].spots[0].doubt > 10 * groups[0].spots[1].doubt


def test_entropy_is_in_bits() -> None:
    surface = find_surfaces(cuts("[LOC Luma]", "[PER Luma]", "[LOC Luma]", "[PER Luma]"))[0]

    assert surface.entropy == pytest.approx(1.0)
    assert find_surfaces(cuts(*MANY))[0].entropy == 0.0


def test_a_place_left_without_a_label_is_found() -> None:
    group = find_groups(cuts(*MANY, "goes to Luma ."))[0]

    assert (group.cause, group.spots[0].row, group.spots[0].given) == (Cause.UNLABELLED, 8, ())


def test_words_are_the_same_but_for_case_and_spelling_forms_and_what_the_orthography_folds() -> None:
    def folding(word: str) -> str:
        return word.replace("k", "c")

    rows = [row("[LOC Cafe\u0301]"), row("[LOC CAF\u00c9]"), row("[LOC kaf\u00e9]"), row("[PER caf\u00e9]")]

    assert [len(one.places) for one in find_surfaces(cut_all(rows, folding))] == [4]
    assert sorted(len(one.places) for one in find_surfaces(cut_all(rows))) == [1, 3]


def test_a_word_is_found_only_as_a_whole() -> None:
    assert find_groups(cuts(*MANY, "goes to Lumana .")) == []


def test_boundary_variants_are_one_group() -> None:
    written = ["in [LOC la Ciudad de Luma] ."] * 6 + ["in la [LOC Ciudad de Luma] ."]
    groups = {group.surface: group for group in find_groups(cuts(*written))}

    assert groups["la Ciudad de Luma"].cause == Cause.BOUNDARY
    assert groups["la Ciudad de Luma"].counts == {"LOC": 6, PART: 1}
    assert groups["la Ciudad de Luma"].spots[0].row == 6


def test_a_name_in_a_longer_name_is_no_fault_when_the_longer_words_belong() -> None:
    found = find_surfaces(cuts(*MANY, *("the [ORG Bank Luma] .",) * 3, "the [LOC Luma goes] ."))
    places = next(one for one in found if one.words == ("luma",))
    doubts = {place.row: doubt for place, doubt in zip(places.places, places.wrong, strict=True)}

    assert places.counts[INSIDE] == 4
    assert doubts[11] > 2 * doubts[8]


def test_what_surfaces_of_one_stem_say_counts_where_a_surface_is_rare() -> None:
    assert stem_of(("lumanara",)) == stem_of(("lumanari",))
    alone = find_surfaces(cuts("[PER Lumanari]", "[LOC Lumanari]"))
    backed = find_surfaces(cuts("[PER Lumanari]", "[LOC Lumanari]", *("[LOC Lumanara]",) * 8))

    assert alone[0].wrong[0] == pytest.approx(alone[0].wrong[1])
    surface = next(one for one in backed if one.words == ("lumanari",))
    assert surface.wrong[0] > surface.wrong[1]


def test_neighbours_tell_two_meanings_of_a_surface_apart() -> None:
    two = ("visits [LOC Mira] today",) * 6 + ("says [PER Mira] gently",) * 6
    found = find_surfaces(cuts(*two, "visits [PER Mira] today"))[0]

    assert found.wrong[12] == max(found.wrong)
    assert found.better[12] == "LOC"


def test_groups_are_ranked_by_how_many_labels_seem_wrong() -> None:
    written = [*MANY, "goes to [PER Luma] .", *("sees [PER Ana] .",) * 9, "sees [LOC Ana] .", "sees [ORG Ana] ."]

    groups = find_groups(cuts(*written))

    assert [group.surface for group in groups] == ["Ana", "Luma"]
    assert groups[0].estimate > groups[1].estimate


def test_listed_terms_that_are_marked_otherwise_or_not_at_all_clash() -> None:
    entries = {"Luma": "LOC", "Ana": "PER"}
    found = find_clashes(cuts("[PER Luma] .", "Luma .", "[LOC Luma] .", "the [ORG Ana Bank] ."), entries)

    assert list(found) == ["luma"]
    assert [clash.given for clash in found["luma"]] == [Mark(0, 4, "PER"), None]
    groups = [one for one in find_groups(cuts("[PER Luma] .", "Luma ."), entries) if one.cause == Cause.DICTIONARY]
    assert (groups[0].expected, groups[0].estimate) == ("LOC", 1.0)


def said(text: str, answer: str) -> Row:
    return Row(key=text, text=text, said=answer)


def test_one_text_in_two_classes_is_a_group() -> None:
    rows = [said("Rain, again!", "weather"), said("rain again", "weather"), said("rain again", "sport")]
    group = find_answer_groups(rows, words=False)[0]

    assert (group.cause, group.expected, group.estimate) == (Cause.SAME_TEXT, "weather", 1.0)
    assert [spot.row for spot in group.spots if spot.doubt] == [2]


def test_near_texts_clash_only_where_their_translations_are_far_apart() -> None:
    text = "the long road from the market leads to the old mill of the village"
    near = [said(text, "hamu sitora beke lunafel"), said(f"{text} today", "hamu sitora beke lunafel nura")]
    far = [near[0], said(f"{text} today", "gorvuze jum dan")]

    assert find_answer_groups(near, words=True) == []
    assert [group.cause for group in find_answer_groups(far, words=True)] == [Cause.NEAR_TEXT]


def test_the_annotator_who_labels_unlike_the_rest_is_found() -> None:
    rows = []
    for place in range(120):
        name = ("Luma", "Mira", "Nofa")[place % 3]
        label = "PER" if place % 4 == 3 and place % 8 else "LOC"
        rows.append(row(f"to [{label} {name}]", annotator="abcd"[place % 4]))
    found = find_odd_subsets(rows, find_surfaces(cut_all(rows)), "annotator", draws=199)

    assert (found[0].name, found[0].adjusted < 0.05) == ("d", True)
    assert all(one.adjusted > 0.05 for one in found[1:])
    assert found[0].agreement < found[0].by_chance


def test_agreement_of_a_subset_is_the_share_of_pairs_that_say_the_same() -> None:
    rows = [
        row("[LOC Luma]", annotator="a"),
        row("[PER Luma]", annotator="a"),
        row("[LOC Luma]", annotator="b"),
        row("[LOC Luma]", annotator="b"),
    ]
    found = find_odd_subsets(rows, find_surfaces(cut_all(rows)), "annotator", draws=20)

    # Two places inside times two outside; one of the inner ones says LOC as both outer ones do.
    assert [(one.pairs, one.agreement) for one in found] == [(4, 0.5), (4, 0.5)]
    assert find_odd_subsets(rows, [], "annotator", draws=5) == []
    assert find_odd_subsets(rows, find_surfaces(cut_all(rows)), "batch") == []


def test_p_values_are_adjusted_as_benjamini_and_hochberg_say() -> None:
    assert adjust([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])


def test_two_witnesses_of_one_place_make_it_surer_and_stand_once() -> None:
    cut = cuts(*MANY, "goes to [PER Luma] .")
    by_surface = as_suspects(cut, find_surfaces(cut))
    alone = together([], by_surface)
    both = together([by_surface[0]], by_surface)

    assert (by_surface[0].row, by_surface[0].fault) == (8, Fault.TYPE)
    assert len([one for one in both if one.row == 8]) == 1
    assert both[0].confidence > alone[0].confidence
