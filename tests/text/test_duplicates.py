"""The same text is found again, exactly and nearly."""

from itertools import combinations

import pytest

from annotation.text.duplicates import SIZE, bands, fingerprint, normal_key, resemblance, similarity
from tests.text.made import BLOCKS, seeded, sentence, soup, word

THRESHOLD = 0.7
PINNED_MARKS = [-1856413422, -1993651428, -1991990923]
PINNED_BANDS = [-784334262059622696, 3557891604431006274]
SCRIPTS = ["Latn", "Adlm", "Nkoo", "Arab", "Deva", "Khmr", "Ethi", "Cyrl"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  ¡Aba, EBE!\n", "aba ebe"),
        ("aba—ebe", "aba ebe"),
        ("K'o k’o kʼo 'k'", "kʼo kʼo kʼo k"),
        ("n\u0303u\u0331", "ñu\u0331"),
        ("\U0001e900\U0001e944 \u06d4", "\U0001e922\U0001e944"),
        (" 🎈 ", "🎈"),
        ("?!", "?!"),
        ("", ""),
    ],
    ids=ascii,
)
def test_the_key_keeps_letters_marks_and_numbers_only(text, key):
    assert normal_key(text) == key


@pytest.mark.parametrize("script", BLOCKS)
def test_the_key_of_a_key_is_the_key(script):
    chance = seeded()
    for _ in range(60):
        text = soup(chance, script)

        assert normal_key(normal_key(text)) == normal_key(text)


def test_letters_that_orthographies_tell_apart_have_other_keys():
    assert len({normal_key(text) for text in ("ka", "ká", "kʼa", "ka\u0331", "k a")}) == 5


def test_fingerprints_and_bands_fit_the_integers_of_postgresql():
    chance = seeded()
    for script in SCRIPTS:
        marks = fingerprint(sentence(chance, script))

        assert len(marks) == SIZE
        assert all(-(2**31) <= number < 2**31 for number in marks)
        assert all(-(2**63) <= key < 2**63 for key in bands(marks))
        assert len(set(bands(marks))) == 16


def test_fingerprints_stay_as_they_are_stored():
    assert fingerprint("Aba ebe.")[:3] == fingerprint("aba  EBE")[:3] == PINNED_MARKS
    assert bands(fingerprint("Aba ebe."))[:2] == PINNED_BANDS


def test_texts_that_differ_in_nothing_that_counts_have_one_fingerprint():
    assert similarity(fingerprint("¡Aba ebe!"), fingerprint("aba, ebe")) == 1.0
    assert resemblance("¡Aba ebe!", "aba, ebe") == 1.0
    assert resemblance("", "") == resemblance("🎈", "🎈") == 1.0


def test_texts_with_nothing_in_common_do_not_resemble_each_other():
    assert resemblance("aba", "opo") == 0.0
    assert similarity(fingerprint("aba ebe"), fingerprint("opo upu")) == 0.0


@pytest.mark.parametrize("marks", [[], [1] * 63])
def test_what_is_no_fingerprint_is_refused(marks):
    with pytest.raises(ValueError, match="64 numbers"):
        bands(marks)
    with pytest.raises(ValueError, match="64 numbers"):
        similarity(marks, [1] * 64)


def corpus(chance, script, size):
    """Sentences of eight to sixteen words over three hundred, some of them used far more often than others."""
    words = [word(chance, script) for _ in range(300)]
    often = [1 / (rank + 1) for rank in range(300)]
    return [" ".join(chance.choices(words, often, k=chance.randint(8, 16))) for _ in range(size)]


def edited(chance, text):
    """The text with one to four characters changed, dropped or doubled, as typing errors and small corrections do."""
    letters = list(text)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(letters))
        letters[place] = chance.choice([chance.choice(letters), "", letters[place] * 2])
    return "".join(letters)


def test_of_edited_copies_at_most_one_in_a_hundred_is_missed_and_few_others_are_called_near():
    """The documented error rates: what is at least 0.7 alike, looked up by bands and judged by the fingerprint."""
    chance = seeded()
    alike = missed_by_bands = missed_by_estimate = unlike = false_candidates = false_alarms = 0
    for script in SCRIPTS:
        texts = corpus(chance, script, 25)
        pairs = [(text, edited(chance, text)) for text in texts for _ in range(4)] + list(combinations(texts, 2))
        marks = {text: fingerprint(text) for text in {text for pair in pairs for text in pair}}
        keys = {text: frozenset(bands(found)) for text, found in marks.items()}
        for one, other in pairs:
            found = bool(keys[one] & keys[other])
            near = similarity(marks[one], marks[other]) >= THRESHOLD - 0.1
            true = resemblance(one, other)
            if true >= THRESHOLD:
                alike += 1
                missed_by_bands += not found
                missed_by_estimate += not near
            elif true < 0.4:
                unlike += 1
                false_candidates += found
                false_alarms += found and near

    assert alike > 600
    assert missed_by_bands / alike <= 0.01
    assert missed_by_estimate / alike <= 0.03
    assert unlike > 2000
    assert false_candidates / unlike <= 0.03
    assert false_alarms == 0


def test_the_estimate_is_within_four_standard_errors_of_the_resemblance():
    chance = seeded()
    for script in SCRIPTS:
        for text in corpus(chance, script, 30):
            other = edited(chance, edited(chance, text))
            true = resemblance(text, other)
            error = (true * (1 - true) / SIZE) ** 0.5

            assert abs(similarity(fingerprint(text), fingerprint(other)) - true) <= 4 * error + 1e-9
