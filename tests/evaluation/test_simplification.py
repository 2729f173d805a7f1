"""SARI against values that were reckoned by hand."""

import pytest

from training.evaluation.simplification import readability, sari


def test_one_word_replaced_by_hand():
    # Source "a b", output "a c", reference "a d".
    # Words: kept {a}, right: F1 1. Gone {b}, right: 1. Added {c}, wanted {d}: 0.
    # Pairs: kept none, to keep none: 1. Gone {ab}, right: 1. Added {ac}, wanted {ad}: 0.
    # Longer: nothing is there, so all three are 1, twice.
    assert sari("a b", "a c", ["a d"]) == pytest.approx(100 * (2 + 2 + 3 + 3) / 12)


def test_as_the_reference_says_it_is_all_right():
    assert sari("a b c d e", "a c e", ["a c e"]) == pytest.approx(100)


def test_a_copy_keeps_all_and_leaves_out_nothing_that_it_should():
    # Source and output "a b c", reference "a b". Words: kept 3 of which 2 right: precision 2/3, recall 2/2, F1 0.8;
    # nothing gone: 1; nothing added and nothing to add: 1. Pairs: kept ab, bc, of which ab right: 1/2 and 1, F1 2/3; 1;
    # 1. Triples: kept abc, wrong: precision 0, nothing to keep: recall 1, F1 0; 1; 1. Fours: 1; 1; 1.
    assert sari("a b c", "a b c", ["a b"]) == pytest.approx(100 * (0.8 + 2 + 2 / 3 + 2 + 0 + 2 + 3) / 12)


def test_every_reference_has_a_say():
    # Source "a b", output "a", references "a" and "b". Counts stand twice: kept a twice, of which one right: precision
    # 1/2; to keep a and b once each: recall 1/2; F1 1/2. Gone b twice, of which one is right: 1/2. Added nothing: 1.
    # Pairs: nothing kept and nothing to keep: 1. Gone ab twice, rightly: 1. Added nothing: 1. The rest 1.
    assert sari("a b", "a", ["a", "b"]) == pytest.approx(100 * (0.5 + 0.5 + 1 + 9) / 12)


def test_case_is_folded_and_marks_are_words():
    assert sari("A, b", "a, b", ["a, b"]) == pytest.approx(100)
    with pytest.raises(ValueError, match="reference"):
        sari("a", "a", [])


def test_sentences_and_words_are_counted():
    found = readability(["Aa bbb. Cc!", "Dddd eee ff."])
    assert found == {"words_per_sentence": pytest.approx(2), "characters_per_word": pytest.approx(16 / 6)}
    assert readability([]) == {"words_per_sentence": 0, "characters_per_word": 0}
