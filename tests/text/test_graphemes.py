"""A reader's characters are never cut."""

import pytest

from annotation.text.graphemes import boundaries, clusters, is_boundary, snap
from tests.text.made import BLOCKS, seeded, soup

EXAMPLES = {
    "Latin with marks below, as in Otomí": ("n\u0320a\u0331\u0301b", ["n\u0320", "a\u0331\u0301", "b"]),
    "N'Ko with a tone mark": ("\u07d3\u07cf\u07eb\u07d6", ["\u07d3", "\u07cf\u07eb", "\u07d6"]),
    "Adlam, beyond 16 bits": (
        "\U0001e90a\U0001e925\U0001e944\U0001e946\U0001e923",
        ["\U0001e90a", "\U0001e925\U0001e944\U0001e946", "\U0001e923"],
    ),
    "Devanagari conjunct": ("\u0915\u094d\u0937\u0915\u093f", ["\u0915\u094d\u0937", "\u0915\u093f"]),
    "Devanagari conjunct with a joiner": ("\u0915\u094d\u200d\u0937", ["\u0915\u094d\u200d\u0937"]),
    "Bengali vowel with a virama": ("\u0985\u09cd\u09af\u09be\u09aa", ["\u0985\u09cd\u09af\u09be", "\u09aa"]),
    "Khmer coeng": ("\u1781\u17d2\u1798\u17c2\u179a", ["\u1781\u17d2\u1798\u17c2", "\u179a"]),
    "Arabic letters with marks, as in Urdu": (
        "\u0628\u0651\u064e\u06cc\u0670\u06d2",
        ["\u0628\u0651\u064e", "\u06cc\u0670", "\u06d2"],
    ),
    "Hangul jamo": ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["\u1112\u1161\u11ab", "\u1100\u1173\u11af"]),
    "Emoji family": ("👩\u200d👩\u200d👦a", ["👩\u200d👩\u200d👦", "a"]),
    "Emoji with a skin tone": ("👍🏽👍", ["👍🏽", "👍"]),
    "Three regional indicators": ("🇲🇽🇲", ["🇲🇽", "🇲"]),
    "Line ends": ("a\r\nb\n\r", ["a", "\r\n", "b", "\n", "\r"]),
    "Nothing": ("", []),
}


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_clusters_are_what_a_reader_counts(text, expected):
    assert clusters(text) == expected


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_boundaries_are_the_ends_of_clusters_in_code_points(text, expected):
    ends = [0]
    for cluster in expected:
        ends.append(ends[-1] + len(cluster))

    assert boundaries(text) == ends
    assert [offset for offset in range(-1, len(text) + 2) if is_boundary(text, offset)] == ends


@pytest.mark.parametrize("script", BLOCKS)
def test_snapping_finds_the_smallest_range_of_whole_clusters(script):
    chance = seeded()
    for _ in range(150):
        text = soup(chance, script)
        start, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        edges = boundaries(text)
        candidates = [(a, b) for a in edges for b in edges if a <= start and end <= b]

        assert snap(text, start, end) == min(candidates, key=lambda pair: pair[1] - pair[0]), ascii(text)
        assert snap(text, *snap(text, start, end)) == snap(text, start, end)


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 4)])
def test_a_range_outside_the_text_is_refused(start, end):
    with pytest.raises(ValueError, match="not inside"):
        snap("abc", start, end)
