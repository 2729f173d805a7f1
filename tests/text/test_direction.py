"""A text runs the way of its script."""

import pytest
import regex

from annotation.text.direction import RIGHT_TO_LEFT, base_direction, first_strong, script_direction
from tests.text.made import BLOCKS, seeded, sentence

RTL_SAMPLES = {
    "Arab": "\u0628",
    "Hebr": "\u05d0",
    "Nkoo": "\u07d3",
    "Adlm": "\U0001e900",
    "Thaa": "\u0780",
    "Syrc": "\u0710",
}


@pytest.mark.parametrize("script", RTL_SAMPLES)
def test_text_in_a_right_to_left_script_runs_right_to_left(script):
    letter = RTL_SAMPLES[script]

    assert script_direction(script) == "rtl"
    assert first_strong(f"1. «{letter}») a") == "rtl"
    assert base_direction(letter) == base_direction(letter, script) == "rtl"


@pytest.mark.parametrize("script", ["Latn", "Cyrl", "Deva", "Khmr", "Ethi", "Hang", "Mong", "Tfng", "Zzzz", ""])
def test_other_scripts_run_left_to_right(script):
    assert script_direction(script) == "ltr"


@pytest.mark.parametrize("script", sorted(set(BLOCKS) - {"emoji", "mixed"}))
def test_made_sentences_run_the_way_of_their_script(script):
    chance = seeded()
    for _ in range(30):
        text = sentence(chance, script)

        assert first_strong(text) == script_direction(script)
        assert base_direction(text) == base_direction(text, script) == script_direction(script)


@pytest.mark.parametrize("script", sorted(RIGHT_TO_LEFT - {"Aran", "Syre", "Syrj", "Syrn"}))
def test_the_list_of_scripts_agrees_with_unicode(script):
    strong = regex.compile(rf"[\p{{Script={script}}}&&[\p{{bc=L}}\p{{bc=R}}\p{{bc=AL}}]]", flags=regex.V1)
    every = "".join(map(chr, range(0x500, 0x20000)))
    classes = {first_strong(letter) for letter in strong.findall(every)}

    assert classes == {"rtl"}


def test_no_right_to_left_script_is_missing():
    every = "".join(map(chr, range(0x500, 0x20000)))
    known = "".join(rf"\p{{Script={code}}}" for code in RIGHT_TO_LEFT - {"Aran", "Syre", "Syrj", "Syrn"})
    missing = regex.compile(rf"[\p{{L}}&&[\p{{bc=R}}\p{{bc=AL}}]--[{known}\p{{Script=Zyyy}}]]", flags=regex.V1)

    assert missing.findall(every) == []


@pytest.mark.parametrize(
    ("text", "script", "expected"),
    [
        ("Aba \u0628\u0628", "Arab", "rtl"),
        ("Aba \u0628\u0628", "Latn", "ltr"),
        ("\u0628\u0628 aba", "Latn", "ltr"),
        ("Aba ebe", "Arab", "ltr"),
        ("\u05d0\u05d0", "Latn", "rtl"),
        ("12 (…)", "Adlm", "rtl"),
        ("12 (…)", "Latn", "ltr"),
        ("", "Nkoo", "rtl"),
        ("\u0628", "Aran", "rtl"),
    ],
    ids=ascii,
)
def test_mixed_text_follows_the_script_that_was_expected(text, script, expected):
    assert base_direction(text, script) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("Aba \u0628", "ltr"), ("\u0628 aba", "rtl"), ("12!", "ltr"), ("", "ltr")], ids=ascii
)
def test_without_a_script_the_first_strong_character_decides(text, expected):
    assert base_direction(text) == expected


def test_a_text_without_letters_has_no_strong_direction():
    assert first_strong("12 (!) 🎈") is None
