"""Checks warn where something may be wrong, say so in plain words, and can be switched off."""

import unicodedata
from pathlib import Path

import pytest

import annotation.text
from annotation.text.checks import (
    Checks,
    all_capitals,
    check_text,
    copied_source,
    differing_length,
    differing_numbers,
    missing_final_mark,
    mixed_scripts,
    outside_alphabet,
    repeated_words,
)
from annotation.text.findings import TEMPLATES, Finding, words
from annotation.text.rules import Rule
from tests.text.made import BLOCKS, characters, seeded, sentence, soup

ALPHABET = ["a", "b", "ch", "e", "n\u0320", "ñ", "ʼ", "\u0331"]


def codes(found):
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aba, ÑE! 12 ʼa", []),
        ("a\u0331 e\u0331 n\u0320", []),
        ("chab CHA Cha", []),
        ("caba", [("c", 0, 1, 1)]),
        ("ah", [("h", 1, 2, 1)]),
        ("na á aá", [("n", 0, 1, 1), ("á", 3, 4, 2)]),
        ("a\u0320", [("a\u0320", 0, 2, 1)]),
        ("ab\u0430", [("\u0430", 2, 3, 1)]),
        ("Z z", [("Z", 0, 1, 2)]),
        ("\u0915\u094d\u0937", [("\u0915\u094d", 0, 3, 1), ("\u0937", 0, 3, 1)]),
    ],
    ids=ascii,
)
def test_letters_outside_the_alphabet_are_named_once_with_how_often_they_occur(text, expected):
    found = outside_alphabet(text, ALPHABET)
    seen = [(f.parameters["character"], f.start, f.end, f.parameters["times"]) for f in found]

    assert seen == expected


def test_an_alphabet_with_sharp_s_knows_it():
    assert outside_alphabet("aß ẞ", ["a", "ß"]) == []
    assert [f.parameters["character"] for f in outside_alphabet("as", ["a", "ß"])] == ["s"]


@pytest.mark.parametrize("script", sorted(set(BLOCKS) - {"Hang"}))
def test_text_made_of_the_letters_and_marks_of_an_alphabet_is_inside_it(script):
    chance = seeded()
    for _ in range(60):
        assert outside_alphabet(soup(chance, script), characters(script)) == []


@pytest.mark.parametrize("script", ["Nkoo", "Thaa", "Khmr", "Thai", "Laoo", "Ethi", "Hani", "Cans"])
def test_a_letter_taken_out_of_an_alphabet_is_found_as_often_as_it_stands(script):
    chance = seeded()
    for _ in range(60):
        text = soup(chance, script)
        letters = [sign for sign in text if unicodedata.category(sign) in {"Lo", "Lm"}]
        if letters:
            letter = chance.choice(letters)
            found = outside_alphabet(text, [sign for sign in characters(script) if sign != letter])

            assert sum(finding.parameters["times"] for finding in found) == text.count(letter)
            assert all(letter in text[finding.start : finding.end] for finding in found)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("aba aba", [(4, 7)]),
        ("Aba aba ABA", [(4, 7), (8, 11)]),
        ("aba, aba", []),
        ("aba ebe aba", []),
        ("12 12", []),
        ("\u1780 \u1780", []),
        ("\u07d3\u07cf  \u07d3\u07cf", [(4, 6)]),
    ],
    ids=ascii,
)
def test_a_word_twice_in_a_row_is_noticed(text, places):
    assert [(finding.start, finding.end) for finding in repeated_words(text)] == places


def test_words_that_may_repeat_are_left_alone():
    assert repeated_words("Aba aba ebe ebe", ["ABA"]) == [Finding("repeated_word", 12, 15, {"word": "ebe"})]


@pytest.mark.parametrize(
    ("text", "source", "noticed"),
    [
        ("aba", "ebe.", True),
        ("aba!", "ebe.", False),
        ("«aba.»", "ebe…", False),
        ("aba\u06d4", "ebe.", False),
        ("aba\u17d4", "ebe?", False),
        ("aba", "ebe", False),
        ("a. ba", "ebe.)", True),
        ("aba,", "ebe.", True),
    ],
    ids=ascii,
)
def test_a_final_mark_that_the_source_has_is_missed(text, source, noticed):
    assert codes(missing_final_mark(text, source)) == ["no_final_mark"] * noticed


def test_a_copy_of_the_source_is_noticed_whatever_its_case_and_punctuation():
    source = "Aba ebe, ibi obo ubu ama eme imi."

    assert codes(copied_source("¡ABA EBE IBI OBO UBU AMA EME IMI!", source)) == ["same_as_source"]
    assert codes(copied_source("Aba ebe, ibi obo ubu ama eme imo.", source)) == ["near_source"]
    assert copied_source("Oko uku aka eke iki olo ulu ala.", source) == []
    assert "%" in words(copied_source("Aba ebe, ibi obo ubu ama eme imo.", source)[0])


@pytest.mark.parametrize("script", sorted(set(BLOCKS) - {"emoji", "mixed"}))
def test_two_made_sentences_are_no_copies(script):
    chance = seeded()
    for _ in range(30):
        assert copied_source(sentence(chance, script), sentence(chance, script)) == []


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("3 aba", "ebe 3", []),
        ("1.000 a 2,5", "1,000 b 2.5", []),
        ("1 000", "1000", []),
        ("\u0663 \u07c3 \U0001e953", "3, 3 3", []),
        ("12/5/2024", "5.12.2024", []),
        ("a", "a 7", [("number_missing", "7")]),
        ("a 7 7", "a 7", [("number_added", "7")]),
        ("a 8", "a 7", [("number_missing", "7"), ("number_added", "8")]),
    ],
    ids=ascii,
)
def test_numbers_are_compared_in_any_digits_and_separators(text, source, expected):
    found = differing_numbers(text, source)

    assert [(finding.code, finding.parameters["number"]) for finding in found] == expected


def test_texts_far_shorter_or_longer_than_their_source_are_noticed():
    source = "aba " * 10

    assert codes(differing_length("aba", source)) == ["much_shorter"]
    assert codes(differing_length("aba " * 40, source)) == ["much_longer"]
    assert differing_length("aba " * 11, source) == []
    assert differing_length("a", "abaeb") == []
    assert differing_length("aba", source, shortest=0.01) == []


def test_length_counts_what_readers_count_not_code_points():
    source = "a" * 20

    assert differing_length("a\u0331\u0301\u0302" * 20, source) == []


@pytest.mark.parametrize(
    ("text", "source", "noticed"),
    [
        ("ABAEBE IBI", "Aba", True),
        ("ABAEBE IBI", "OBO UBU AMA", False),
        ("ABA", "Aba", False),
        ("Abaebeibi", "", False),
        ("\u13a0\u13a1\u13a2\u13a3\u13a4\u13a5\u13a6\u13a7\u13a8", "", False),
        ("\u0628\u0628\u0628\u0628\u0628\u0628\u0628\u0628\u0628", "", False),
        ("\U0001e900" * 9, "", True),
    ],
    ids=ascii,
)
def test_text_in_capitals_is_noticed_where_capitals_exist(text, source, noticed):
    assert codes(all_capitals(text, source)) == ["all_capitals"] * noticed


def test_a_word_of_two_scripts_is_marked_unless_the_alphabet_borrows():
    text = "aba p\u0430ba k\u03b2o"

    assert [(f.start, f.end) for f in mixed_scripts(text)] == [(4, 8), (9, 12)]
    assert [(f.start, f.end) for f in mixed_scripts(text, ["\u03b2", "k", "o"])] == [(4, 8)]


def test_all_checks_together_come_by_place_and_those_switched_off_are_silent():
    checks = Checks(alphabet=("a", "b", "e"), rules=(Rule("double", "bb", "Write one b."),))
    text, source = "ABBA aba qe qe", "Ebe 7."
    found = check_text(text, checks, source=source)

    assert codes(found) == ["no_final_mark", "number_missing", "outside_alphabet", "repeated_word"]
    assert codes(check_text(text.lower(), checks)) == ["rule", "outside_alphabet", "repeated_word"]
    quiet = Checks(off=frozenset({"no_final_mark", "number_missing", "repeated_word"}))
    assert check_text(text, quiet, source=source) == []
    assert codes(check_text(text, Checks())) == ["repeated_word"]


@pytest.mark.parametrize("script", BLOCKS)
def test_every_finding_lies_in_the_text_and_has_words(script):
    chance = seeded()
    checks = Checks(alphabet=("a",), rules=(Rule("any", r"\w\s", "x"),))
    seen = set()
    for _ in range(60):
        text, source = soup(chance, script), soup(chance, script)
        for finding in check_text(text, checks, source=source):
            seen.add(finding.code)
            assert 0 <= finding.start <= finding.end <= len(text)
            assert words(finding)
    assert seen


def test_words_can_be_translated_before_the_parameters_go_in():
    finding = Finding("repeated_word", 0, 3, {"word": "100%"})

    assert words(finding) == "“100%” is written twice in a row."
    assert words(finding, lambda english: english.replace("is written twice in a row", "xx")) == "“100%” xx."


def test_every_template_is_given_by_some_check():
    """A code that no module names would be a sentence for nothing."""
    source = "".join(
        path.read_text() for path in Path(annotation.text.__path__[0]).glob("*.py") if path.stem != "findings"
    )
    assert [code for code in TEMPLATES if f'"{code}"' not in source] == []
