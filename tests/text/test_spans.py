"""Spans are kept only when they mark whole characters of this text with a known label."""

import json
from itertools import pairwise

import pytest

from annotation.text.graphemes import boundaries
from annotation.text.segments import fold, word_edges
from annotation.text.spans import (
    MalformedSpans,
    Span,
    bio_tags,
    canonical,
    from_utf16,
    read_spans,
    same_word_spans,
    to_utf16,
)
from tests.text.made import BLOCKS, seeded, sentence, soup, word

LABELS = {"PERSON", "PLACE"}
# Adlam letters with a mark, a space, then Latin with a mark below: clusters end at 0 2 3 4 6 7.
TEXT = "\U0001e900\U0001e944\U0001e901 a\u0331b"


def entry(start=0, end=2, label="PERSON", **more):
    return {"start": start, "end": end, "label": label, **more}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("text", "must come as a list"),
        ({"start": 0}, "must come as a list"),
        (None, "must come as a list"),
        ([entry(), "x"], "Label 2 is not an object"),
        ([[0, 2, "PERSON"]], "Label 1 is not an object"),
        ([{"start": 0, "label": "PERSON"}], "Label 1 has no end"),
        ([entry(colour="red")], "Label 1 has a field nobody knows: “colour”"),
        ([entry(start="0")], "The start of label 1 is not a whole number"),
        ([entry(end=2.0)], "The end of label 1 is not a whole number"),
        ([entry(start=None)], "The start of label 1 is not a whole number"),
        ([entry(start=False)], "The start of label 1 is not a whole number"),
        ([entry(end=True)], "The end of label 1 is not a whole number"),
        ([entry(end=8)], "Label 1 goes past the end of the text, which has 7 characters"),
        ([entry(start=9, end=10**30)], "Label 1 goes past the end"),
        ([entry(start=3, end=2)], "Label 1 ends before it begins"),
        ([entry(start=-2, end=2)], "Label 1 begins before the text"),
        ([entry(start=-3, end=-1)], "Label 1 begins before the text"),
        ([entry(), entry(start=2, end=2)], "Label 2 marks nothing"),
        ([entry(start=0, end=1)], "Label 1 ends in the middle of a character"),
        ([entry(start=5, end=7)], "Label 1 begins in the middle of a character"),
        ([entry(start=3, end=4)], "Label 1 marks only blanks"),
        ([entry(label="THING")], "Label 1 is called “THING”, which is not among the labels"),
        ([entry(label=7)], "Label 1 is called “int”"),
        ([entry(label="X" * 5000)], "Label 1 is called “XXX"),
        ([entry(suggested_by=3)], "Label 1 does not say"),
        ([entry(suggested_by="x" * 101)], "Label 1 does not say"),
        ([entry(suggested_by="a\nb")], "Label 1 does not say"),
        ([entry(), entry(start=2, end=3), entry()], "Label 3 repeats label 1"),
        ([entry(), entry(suggested_by="gazetteer")], "Label 2 repeats label 1"),
        ([entry(start=at) for at in (0,) * 1001], "There are 1,001 labels; at most 1,000"),
    ],
)
def test_malformed_spans_are_refused_with_the_number_of_the_span(raw, message):
    with pytest.raises(MalformedSpans, match=message) as refusal:
        read_spans(raw, TEXT, LABELS)
    assert len(str(refusal.value)) < 160


def test_good_spans_come_back_in_one_order_whatever_order_they_were_sent_in():
    raw = [entry(4, 7, "PLACE"), entry(0, 3), entry(0, 7, suggested_by="gazetteer"), entry(0, 3, "PLACE")]
    expected = (
        Span(0, 7, "PERSON", "gazetteer"),
        Span(0, 3, "PERSON"),
        Span(0, 3, "PLACE"),
        Span(4, 7, "PLACE"),
    )

    assert read_spans(raw, TEXT, LABELS) == expected
    assert read_spans(raw[::-1], TEXT, LABELS) == expected
    assert read_spans([], TEXT, LABELS) == ()


@pytest.mark.parametrize(
    "raw", [[entry(2, 7), entry(0, 3)], [entry(0, 7), entry(2, 3)], [entry(0, 3), entry(0, 3, "PLACE")]]
)
def test_overlapping_and_nested_spans_are_refused_only_where_overlap_is_not_allowed(raw):
    with pytest.raises(MalformedSpans, match="Labels 1 and 2 overlap"):
        read_spans(raw, TEXT, LABELS, may_overlap=False)
    assert len(read_spans(raw, TEXT, LABELS)) == 2


def test_spans_that_touch_do_not_overlap():
    assert len(read_spans([entry(2, 3), entry(0, 2)], TEXT, LABELS, may_overlap=False)) == 2


@pytest.mark.parametrize("script", BLOCKS)
def test_a_random_range_is_accepted_exactly_when_it_is_whole_characters(script):
    chance = seeded()
    for _ in range(200):
        text = soup(chance, script)
        start, end = chance.randint(-2, len(text) + 2), chance.randint(-2, len(text) + 2)
        edges = boundaries(text)
        good = start in edges and end in edges and start < end and text[start:end].strip() != ""
        raw = json.loads(json.dumps([entry(start, end)]))
        try:
            kept = read_spans(raw, text, LABELS)
        except MalformedSpans:
            kept = ()

        assert kept == ((Span(start, end, "PERSON"),) if good else ()), (ascii(text), start, end)


@pytest.mark.parametrize("script", BLOCKS)
def test_offsets_go_to_utf16_and_back(script):
    chance = seeded()
    for _ in range(100):
        text = soup(chance, script)
        for offset in range(len(text) + 1):
            units = to_utf16(text, offset)

            assert units == len(text[:offset].encode("utf-16-le")) // 2
            assert from_utf16(text, units) == offset


@pytest.mark.parametrize("units", [-1, 1, 3, 12])
def test_half_a_surrogate_pair_and_places_outside_have_no_offset(units):
    with pytest.raises(ValueError, match=f"unit {units}"):
        from_utf16(TEXT, units)


@pytest.mark.parametrize("offset", [-1, 8])
def test_offsets_outside_the_text_have_no_utf16_place(offset):
    with pytest.raises(ValueError, match="not inside"):
        to_utf16(TEXT, offset)


def test_the_same_word_is_found_everywhere_but_not_inside_longer_words():
    text = "Aba ebe ABA, abas (aba) a\u0331ba aba"
    found = same_word_spans(text, Span(0, 3, "PERSON", "gazetteer"))

    assert [(span.start, text[span.start : span.end]) for span in found] == [(8, "ABA"), (19, "aba"), (29, "aba")]
    assert {(span.label, span.suggested_by) for span in found} == {("PERSON", "gazetteer")}


def test_a_label_inside_a_word_finds_the_same_part_of_other_words():
    text = "abaku ebe aba xaba"

    assert same_word_spans(text, Span(0, 2, "STEM")) == [Span(10, 12, "STEM")]
    assert same_word_spans(text, Span(1, 3, "STEM")) == [Span(11, 13, "STEM"), Span(16, 18, "STEM")]


def test_a_word_that_is_longer_in_capitals_is_the_same_word():
    assert same_word_spans("groß GROSS gross gros", Span(0, 4, "X")) == [Span(5, 10, "X"), Span(11, 16, "X")]


def test_occurrences_of_the_same_word_do_not_overlap():
    text = "\u1780\u1780\u1780\u1780\u1780"

    assert same_word_spans(text, Span(0, 2, "X")) == [Span(2, 4, "X")]
    assert same_word_spans(text, Span(1, 3, "X")) == [Span(3, 5, "X")]


def test_a_span_that_is_not_of_this_text_is_refused():
    for start, end in ((0, 1), (3, 3), (0, 90)):
        with pytest.raises(ValueError, match="does not lie on"):
            same_word_spans(TEXT, Span(start, end, "X"))


@pytest.mark.parametrize("script", [script for script in BLOCKS if script != "emoji"])
def test_the_same_word_anywhere_in_made_text(script):
    chance = seeded()
    for _ in range(30):
        wanted = word(chance, script, at_most=3)
        text = " ".join(chance.choice([wanted, wanted.upper(), word(chance, script)]) for _ in range(8))
        given = Span(0, len(wanted), "X")
        if not text.startswith(wanted + " "):
            continue
        found = same_word_spans(text, given)
        edges = word_edges(text)

        assert len(found) >= sum(fold(part) == fold(wanted) for part in text.split(" ")) - 1
        assert all(before.end <= after.start for before, after in pairwise([given, *found]))
        assert all(fold(text[span.start : span.end]) == fold(wanted) for span in found)
        assert all(span.start in edges and span.end in edges for span in found)


def test_tags_are_b_i_and_o_for_each_piece():
    text = "Aba bo, \u1780\u1781"
    spans = [Span(0, 6, "PERSON"), Span(8, 9, "PLACE"), Span(9, 10, "PLACE")]

    assert bio_tags(text, spans) == [
        ("Aba", "B-PERSON"),
        ("bo", "I-PERSON"),
        (",", "O"),
        ("\u1780", "B-PLACE"),
        ("\u1781", "B-PLACE"),
    ]


def test_a_label_on_part_of_a_word_tags_the_word():
    assert bio_tags("xaba ebe", [Span(1, 4, "STEM")]) == [("xaba", "B-STEM"), ("ebe", "O")]


@pytest.mark.parametrize("spans", [[Span(0, 5, "A"), Span(2, 3, "B")], [Span(0, 1, "A"), Span(1, 2, "B")]])
def test_overlapping_labels_have_no_tags(spans):
    with pytest.raises(ValueError, match="Overlapping"):
        bio_tags("ab cd", spans)


def test_tags_of_made_text_have_one_beginning_for_each_span():
    chance = seeded()
    for script in ("Latn", "Adlm", "Khmr", "Arab", "Deva"):
        text = sentence(chance, script, words=12)
        edges = [edge for edge in word_edges(text) if edge == len(text) or text[edge] != " "]
        chosen = sorted(chance.sample(edges, 6))
        spans = [Span(*pair, "X") for pair in ((chosen[0], chosen[1]), (chosen[2], chosen[3]), (chosen[4], chosen[5]))]
        tags = [tag for _, tag in bio_tags(text, spans)]

        assert tags.count("B-X") == 3
        assert canonical(spans) == tuple(spans)
