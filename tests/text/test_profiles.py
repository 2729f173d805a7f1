"""The language of the source is told from the target's by its letters, with little text and without a guess."""

import json
from dataclasses import asdict

import pytest

from annotation.corpora.packaged import read_tsunkua
from annotation.text.findings import words
from annotation.text.profiles import (
    FEWEST_CHARACTERS,
    Profile,
    build_profile,
    language_mismatch,
    other_language,
)
from tests.text.made import seeded, sentence


def made(script, size, number=0):
    chance = seeded(number)
    texts = []
    while sum(map(len, texts)) < size:
        texts.append(sentence(chance, script))
    return texts


@pytest.fixture(scope="module")
def tsunkua():
    """Pairs of Spanish and Otomí by document, without those whose two sides are equal."""
    documents = {}
    for row in read_tsunkua():
        if row.text.strip() and row.translation.strip() and row.text != row.translation:
            documents.setdefault(row.document_id, []).append(row)
    return [documents[key] for key in sorted(documents)]


def start_of(texts, size):
    taken = []
    while sum(map(len, taken)) < size:
        taken.append(texts[len(taken)])
    return taken


def test_real_sentences_of_unseen_documents_are_told_apart_from_two_thousand_characters(tsunkua):
    """Each document in turn is judged by profiles of the others: Otomí that is called Spanish, Spanish that is not."""
    called, missed, judged = 0, 0, 0
    for held_out in tsunkua:
        rest = [row for document in tsunkua if document is not held_out for row in document]
        seeded().shuffle(rest)
        otomi = build_profile(start_of([row.translation for row in rest], 2600))
        spanish = build_profile(start_of([row.text for row in rest], 2600))
        assert min(otomi.characters, spanish.characters) >= FEWEST_CHARACTERS
        for row in held_out[:300]:
            margins = [language_mismatch(side, otomi, spanish) for side in (row.translation, row.text)]
            if None not in margins:
                judged += 1
                called += bool(other_language(row.translation, otomi, spanish))
                missed += not other_language(row.text, otomi, spanish)

    assert judged > 500
    assert called / judged < 0.03
    assert missed / judged < 0.05


def test_the_margin_is_positive_for_the_target_and_changes_sign_with_the_profiles():
    one, other = build_profile(made("Latn", 3000)), build_profile(made("Cyrl", 3000))
    for text in made("Latn", 500, number=1):
        margin = language_mismatch(text, one, other)

        assert margin > 1
        assert language_mismatch(text, other, one) == pytest.approx(-margin)
        assert language_mismatch(text, one, one) == 0


def test_too_little_text_gives_no_answer():
    enough, little = build_profile(made("Latn", 4000)), build_profile(made("Cyrl", 900))
    text = made("Latn", 100)[0]

    assert little.characters < FEWEST_CHARACTERS <= enough.characters
    assert language_mismatch(text, enough, little) is None
    assert language_mismatch(text, little, enough) is None
    assert language_mismatch("Aba ebe 123456 ...!", enough, enough) is None
    assert other_language(text, enough, little) == []


def test_nothing_makes_an_empty_profile():
    assert build_profile([]) == Profile(0, {})
    assert build_profile(["12", "…"]).characters < 5


def test_a_profile_survives_json():
    profile = build_profile(made("Adlm", 500))

    assert Profile(**json.loads(json.dumps(asdict(profile)))) == profile


def test_the_finding_says_what_is_suspected():
    target, source = build_profile(made("Latn", 3000)), build_profile(made("Cyrl", 3000))
    found = other_language(made("Cyrl", 100, number=2)[0], target, source)

    assert [words(finding) for finding in found] == ["This looks more like the language of the source."]
    assert other_language(made("Latn", 100, number=2)[0], target, source) == []
