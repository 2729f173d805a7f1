"""A community's list of names proposes labels."""

import time

import pytest

from annotation.text.gazetteer import Gazetteer, from_gazetteer
from annotation.text.segments import fold, is_blank, pieces
from annotation.text.spans import Span, read_spans
from tests.text.made import seeded, sentence, word

TERMS = {"Aba": "PERSON", "Aba Ebe": "PLACE", "n\u0303u": "PERSON", "\u1780\u17d2\u1781": "PLACE", "k'o": "THING"}


def marked(text, terms=TERMS):
    return [(text[span.start : span.end], span.label) for span in from_gazetteer(text, terms)]


def test_the_longest_term_wins_and_case_blanks_and_normalisation_do_not_matter():
    assert marked("aba eBE aba") == [("aba eBE", "PLACE"), ("aba", "PERSON")]
    assert marked("ABA \n ebe") == [("ABA \n ebe", "PLACE")]
    assert marked("\u00d1U") == [("\u00d1U", "PERSON")]


def test_a_term_matches_whole_words_only():
    assert marked("abas xaba aba\u0331 k'o") == [("k'o", "THING")]
    assert marked("(aba), aba-x") == [("aba", "PERSON"), ("aba", "PERSON")]


def test_where_words_have_no_spaces_a_term_matches_whole_clusters():
    assert marked("\u1782\u1780\u17d2\u1781\u1782") == [("\u1780\u17d2\u1781", "PLACE")]
    assert marked("\u1780\u17d2\u1781\u17b7") == []


def test_suggestions_say_where_they_come_from():
    assert from_gazetteer("aba", TERMS) == [Span(0, 3, "PERSON", "gazetteer")]


def test_the_first_of_two_terms_that_fold_alike_counts_and_blank_ones_are_dropped():
    assert marked("aba  .", {"": "X", " \n": "X", "ABA": "first", "aba": "second"}) == [("aba", "first")]
    assert from_gazetteer("aba", {}) == []
    assert from_gazetteer("", TERMS) == []


def test_a_term_of_one_character_is_found():
    assert marked("a b 7", {"B": "X", "7": "N"}) == [("b", "X"), ("7", "N")]


def plainly(text, terms):
    """The same search as slowly and simply as it can be written."""
    folded = {fold(" ".join(term.split())): label for term, label in reversed(terms.items()) if term.strip()}
    found = pieces(text)
    units = [" " if is_blank(piece.text) else fold(piece.text) for piece in found]
    spans, first = [], 0
    while first < len(units):
        for last in range(len(units), first, -1):
            label = folded.get("".join(units[first:last]))
            if label:
                spans.append(Span(found[first].start, found[last - 1].end, label, "gazetteer"))
                first = last
                break
        else:
            first += 1
    return spans


@pytest.mark.parametrize("script", ["Latn", "Cyrl", "Adlm", "Nkoo", "Arab", "Deva", "Khmr", "Hani", "Ethi", "Hang"])
def test_a_fast_search_finds_what_a_slow_one_finds(script):
    chance = seeded()
    marked_at_all = 0
    for _ in range(40):
        text = sentence(chance, script, words=10)
        cut = [piece.text for piece in pieces(text)]
        terms = {word(chance, script): "other" for _ in range(10)}
        for number in range(10):
            first = chance.randrange(len(cut))
            terms["".join(cut[first : first + chance.randint(1, 4)]).upper()] = f"L{number}"
        found = from_gazetteer(text, terms)
        marked_at_all += len(found)

        assert found == plainly(text, terms)
        raw = [{"start": span.start, "end": span.end, "label": span.label} for span in found]
        assert len(read_spans(raw, text, set(terms.values()), may_overlap=False)) == len(found)
    assert marked_at_all > 40


@pytest.mark.parametrize("script", ["Latn", "Adlm", "Khmr", "Hani"])
def test_ten_thousand_terms_and_a_thousand_characters_take_under_fifty_milliseconds(script):
    chance = seeded()
    terms = {" ".join(word(chance, script) for _ in range(chance.choice((1, 1, 2)))): "X" for _ in range(10_000)}
    names = list(terms)
    text = " ".join(chance.choice(names) for _ in range(200))[:1000]
    gazetteer = Gazetteer(terms)

    def fastest(act):
        times = []
        for _ in range(5):
            began = time.process_time()
            act()
            times.append(time.process_time() - began)
        return min(times)

    assert fastest(lambda: from_gazetteer(text, terms)) < 0.050
    assert fastest(lambda: gazetteer.find(text)) < 0.010
