"""Two wordings by their characters."""

import pytest

from annotation.text.compare import MOST_CLUSTERS, compare


def told(before, after):
    return [(change.kind, change.text) for change in compare(before, after)]


def test_one_letter_is_told_by_itself():
    assert told("ar nthandi", "ar nthändi") == [
        ("same", "ar nth"),
        ("gone", "a"),
        ("added", "ä"),
        ("same", "ndi"),
    ]


def test_a_letter_and_its_mark_are_never_cut():
    assert told("n\u0331a", "na") == [("gone", "n\u0331"), ("added", "n"), ("same", "a")]


@pytest.mark.parametrize(
    "texts", [("", ""), ("", "uno"), ("uno", ""), ("uno dos", "dos tres"), ("a" * 900, "b c " * 300)]
)
def test_both_texts_can_be_put_together_again(texts):
    changes = compare(*texts)
    assert "".join(one.text for one in changes if one.kind != "added") == texts[0]
    assert "".join(one.text for one in changes if one.kind != "gone") == texts[1]


def test_equal_texts_have_one_stretch():
    assert told("lo mismo", "lo mismo") == [("same", "lo mismo")]


def test_long_texts_are_compared_by_words():
    before = "palabra " * MOST_CLUSTERS
    assert ("gone", "palabra") in told(before, before.replace("palabra", "palabro", 1))


def test_words_are_left_whole_where_that_reads_better():
    changes = compare("ar nthandi ya", "ar nthändi ya", by_words=True)
    assert [(one.kind, one.text) for one in changes] == [
        ("same", "ar "),
        ("gone", "nthandi"),
        ("added", "nthändi"),
        ("same", " ya"),
    ]
