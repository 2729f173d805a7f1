"""Words and sentences are found without knowing the language."""

import time
import unicodedata

import pytest

from annotation.text.graphemes import boundaries
from annotation.text.segments import find_sentences, find_words, fold, is_blank, pieces, word_edges
from tests.text.made import BLOCKS, seeded, soup, word


def texts_of(found):
    return [stretch.text for stretch in found]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("aba  ebe.", ["aba", "ebe"]),
        ("ʼa̱n̠a k'o k’o 'u'", ["ʼa̱n̠a", "k'o", "k’o", "u"]),
        ("a-b c_d e.f", ["a", "b", "c_d", "e", "f"]),
        ("3,5 1.000 7. 2a", ["3,5", "1.000", "7", "2a"]),
        ("ab\u200cba \u200c", ["ab\u200cba"]),
        ("\U0001e900\U0001e944\U0001e901 \u07d3\u07cf", ["\U0001e900\U0001e944\U0001e901", "\u07d3\u07cf"]),
        ("\u1230\u1208\u1361\u1208", ["\u1230\u1208", "\u1208"]),
        ("… !", []),
    ],
    ids=ascii,
)
def test_words_are_runs_of_letters_with_their_apostrophes_and_decimals(text, words):
    assert texts_of(find_words(text)) == words


@pytest.mark.parametrize("script", ["Khmr", "Thai", "Laoo", "Mymr", "Hani"])
def test_scripts_without_spaces_have_an_edge_at_every_cluster_and_no_words(script):
    chance = seeded()
    for _ in range(50):
        text = word(chance, script)

        assert word_edges(text) == boundaries(text)
        assert find_words(text) == []


@pytest.mark.parametrize("script", BLOCKS)
def test_pieces_put_together_are_the_text_and_cut_no_word_and_no_cluster(script):
    chance = seeded()
    for _ in range(100):
        text = soup(chance, script)
        edges = word_edges(text)

        assert "".join(texts_of(pieces(text))) == text
        assert set(edges) <= set(boundaries(text))
        for found in find_words(text):
            assert text[found.start : found.end] == found.text
            assert not [edge for edge in edges if found.start < edge < found.end]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("aba. ebe! (ibi?) obo", ["aba.", "ebe!", "(ibi?)", "obo"]),
        ('"aba." Ebe... ibi', ['"aba."', "Ebe...", "ibi"]),
        ("aba 3.5 b.c", ["aba 3.5 b.c"]),
        ("\u1780\u17d4\u1780", ["\u1780\u17d4", "\u1780"]),
        ("\u0628\u06d4 \u0628\u061f", ["\u0628\u06d4", "\u0628\u061f"]),
        ("\u1208\u1362\u1208", ["\u1208\u1362", "\u1208"]),
        ("aba\n\n  ebe ", ["aba", "ebe"]),
        (" ", []),
    ],
    ids=ascii,
)
def test_sentences_end_at_the_marks_of_many_scripts_and_at_line_ends(text, sentences):
    found = find_sentences(text)

    assert texts_of(found) == sentences
    assert [text[stretch.start : stretch.end] for stretch in found] == sentences


def seconds_to_cut(text):
    """The best of three, for whatever else runs at the same time."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        find_sentences(text)
        find_words(text)
        pieces(text)
        best = min(best, time.process_time() - began)
    return best


@pytest.mark.parametrize("part", [".", '."', "a'", "\u0301", "a "])
def test_four_times_the_text_takes_no_more_than_eight_times_as_long_to_cut(part):
    assert seconds_to_cut(part * 4000 + "a") < 8 * seconds_to_cut(part * 1000 + "a")


def test_folding_ignores_case_and_normalisation_and_nothing_else():
    assert fold("ÑU\u0331") == fold("n\u0303u\u0331")
    assert fold("Straße") == fold("STRASSE")
    assert fold("\U0001e900") == fold("\U0001e922")
    assert len({fold(form) for form in ("k'a", "k’a", "kʼa", "ka", "ká")}) == 5


@pytest.mark.parametrize("script", BLOCKS)
def test_folding_twice_changes_nothing_and_keeps_nfc(script):
    chance = seeded()
    for _ in range(100):
        once = fold(soup(chance, script))

        assert fold(once) == once
        assert unicodedata.is_normalized("NFC", once)


def test_blanks_are_blank_in_every_script():
    assert all(is_blank(text) for text in ("", " ", "\u00a0\n\t", "\u3000"))
    assert not is_blank("\u200d")
