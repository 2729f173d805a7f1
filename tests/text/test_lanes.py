"""Several people's labels on one text."""

import pytest

from annotation.text.lanes import fragments_of, places_of, tokens_of
from annotation.text.spans import Span

TEXT = "la Ciudad de Uno y Dos"
WHOLE, SHORT, PERSON = Span(0, 16, "LOC"), Span(3, 16, "LOC"), Span(3, 16, "PER")


def kinds(*lanes):
    return [place.kind for place in places_of(lanes)]


@pytest.mark.parametrize(
    ("lanes", "kind"),
    [
        (([SHORT], [SHORT]), "agreed"),
        (([SHORT], []), "missed"),
        (([SHORT], [WHOLE]), "boundary"),
        (([SHORT], [PERSON]), "type"),
        (([WHOLE], [PERSON]), "both"),
        (([WHOLE, SHORT], [WHOLE, SHORT]), "agreed"),
    ],
    ids=["the same", "nothing beside it", "another edge", "another label", "both", "nested alike"],
)
def test_a_place_says_how_its_labels_differ(lanes, kind):
    assert kinds(*lanes) == [kind]


def test_places_that_share_no_character_are_apart():
    assert kinds([Span(0, 2, "LOC"), Span(2, 9, "LOC")], [Span(0, 2, "LOC")]) == ["agreed", "missed"]


def test_fragments_name_who_marked_them():
    assert [(one.label, one.lanes) for one in fragments_of([[SHORT], [PERSON], [SHORT]])] == [
        ("LOC", (0, 2)),
        ("PER", (1,)),
    ]


def test_tokens_hold_the_whole_text_and_are_cut_at_edges():
    tokens = tokens_of(TEXT, [[Span(3, 5, "LOC")], [SHORT]])
    assert "".join(token.text for token in tokens) == TEXT
    assert {"Ci", "udad"} <= {token.text for token in tokens}


def test_shares_are_of_those_who_say_the_same():
    shares = {token.text: token.share for token in tokens_of(TEXT, [[SHORT], [SHORT], [PERSON]])}
    assert shares["la"] == 1
    assert shares["Ciudad"] == pytest.approx(2 / 3)


def test_no_lane_and_no_label_are_no_fault():
    assert places_of([]) == []
    assert {token.share for token in tokens_of(TEXT, [])} == {1}
    assert tokens_of("", [[]]) == []
