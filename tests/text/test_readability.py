"""Hints for simpler writing come from the community's lists alone."""

import pytest

from annotation.text.findings import words
from annotation.text.readability import Plainness, hints
from tests.text.made import BLOCKS, seeded, sentence

TEXT = "Aba ebe ibi. Obo ku ubu ku ama, eme! Lalalalala."


def seen(text, **settings):
    return [(hint.code, text[hint.start : hint.end]) for hint in hints(text, Plainness(**settings))]


def test_without_settings_there_are_no_hints():
    assert seen(TEXT) == []


def test_a_sentence_with_too_many_words_is_marked_whole():
    assert seen(TEXT, longest_sentence=5) == [("long_sentence", "Obo ku ubu ku ama, eme!")]
    assert seen(TEXT, longest_sentence=6) == []


def test_where_words_are_not_separated_clusters_are_counted():
    text = "\u1780\u17d2\u1781\u1780\u1780\u17d4\u1780\u17d4"

    assert seen(text, longest_stretch=3) == [("long_stretch", "\u1780\u17d2\u1781\u1780\u1780\u17d4")]
    assert seen(text, longest_stretch=4, longest_sentence=1) == []


def test_long_words_are_counted_in_grapheme_clusters():
    assert seen(TEXT, longest_word=9) == [("long_word", "Lalalalala")]
    assert seen("a\u0331\u0301a\u0331 \U0001e900\U0001e944\U0001e901", longest_word=2) == []


def test_words_outside_the_list_are_named_once_at_their_first_place():
    text = "Aba 12 ebe EBE aba ibi"

    assert seen(text, common={"ABA"}) == [("rare_word", "ebe"), ("rare_word", "ibi")]
    assert seen(text, frequencies={"ebe": 9, "aba": 3, "ibi": 1}, rarest=3) == [("rare_word", "ibi")]
    assert seen(text, frequencies={"ebe": 9}, rarest=3, common=["aba", "ibi"]) == []


def test_several_clauses_in_a_sentence_are_shown_with_their_conjunctions():
    plainness = Plainness(conjunctions={"ku", "ma la"})
    text = TEXT + " Aba Ku ebe ma  la ibi."
    found = hints(text, plainness)

    assert [text[hint.start : hint.end] for hint in found] == ["Obo ku ubu ku ama, eme!", "Aba Ku ebe ma  la ibi."]
    assert "(ku, ku)" in words(found[0])
    assert hints(text, Plainness(conjunctions={"ku", "ma la"}, most_joined=2)) == []
    assert seen("kuku ku", conjunctions={"ku"}) == []


@pytest.mark.parametrize("setting", ["longest_sentence", "longest_stretch", "longest_word"])
def test_a_bound_below_one_is_refused(setting):
    with pytest.raises(ValueError, match="at least one"):
        Plainness(**{setting: 0})


@pytest.mark.parametrize("script", sorted(set(BLOCKS) - {"emoji"}))
def test_hints_lie_in_the_text_in_order_and_have_words(script):
    chance = seeded()
    plainness = Plainness(
        longest_sentence=6, longest_stretch=10, longest_word=2, common={"aba"}, conjunctions={"a"}, most_joined=1
    )
    for _ in range(30):
        text = " ".join(sentence(chance, script) for _ in range(3))
        found = hints(text, plainness)

        assert found
        assert [(hint.start, hint.end) for hint in found] == sorted((hint.start, hint.end) for hint in found)
        assert all(0 <= hint.start < hint.end <= len(text) and words(hint) for hint in found)
