"""Scripts of letters and of whole words."""

import pytest

from annotation.text.scripts import LIVING, mixes_scripts, share_in_script
from tests.text.made import BLOCKS, seeded, word

NO_CODE = {"emoji", "mixed"}


@pytest.mark.parametrize("script", sorted(set(BLOCKS) - NO_CODE))
def test_made_words_are_in_their_script_and_mix_none(script):
    chance = seeded()
    for _ in range(60):
        text = word(chance, script)

        assert share_in_script(text, script) == 1.0
        assert not mixes_scripts(text)


@pytest.mark.parametrize("script", LIVING)
def test_every_living_script_has_letters_that_unicode_knows(script):
    every = "".join(map(chr, [*range(0x41, 0xD800), *range(0x10000, 0x1F000)]))

    assert share_in_script(every, script) > 0


@pytest.mark.parametrize("text", ["p\u0430ba", "\u0431a\u0431", "k\u03b5la", "\u0628a", "\u0915\u0995"], ids=ascii)
def test_a_letter_of_another_script_inside_a_word_is_a_mixture(text):
    assert mixes_scripts(text)


@pytest.mark.parametrize(
    "text",
    ["ʼa̱b̠a", "k\u025bl\u0254", "\u65e5\u306e\u30a2", "\u6f22\ud55c", "H2O", "", "12", "\u0628"],
    ids=ascii,
)
def test_marks_digits_and_scripts_that_belong_together_are_no_mixture(text):
    assert not mixes_scripts(text)


@pytest.mark.parametrize("code", ["Zyyy", "Zzzz", "Xxxx", "latn", "", "L}", "Zxxx"])
def test_codes_that_are_no_script_have_no_share(code):
    assert share_in_script("abc", code) is None


def test_codes_for_several_scripts_and_for_variants_are_known():
    assert share_in_script("\u65e5\u306e", "Jpan") == 1.0
    assert share_in_script("\u0628", "Aran") == share_in_script("\u0628", "Arab") == 1.0
    assert share_in_script("\u0780", "Thaa") == 1.0
