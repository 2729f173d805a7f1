"""Planted copies are found, with the pair; unlike sentences are left alone."""

from __future__ import annotations

import random
from pathlib import Path

from training.evaluation.contamination import ALIKE, Pair, find_leaks, giving_away

WORDS = [f"{onset}{vowel}{end}" for onset in "bdfgkmnpt" for vowel in "aeiouñ" for end in ("", "n", "xi", "thi", "hu")]
# The commonest words of a language make up half of a text, and so do these.
COMMON = WORDS[:12]


def sentences(count: int, seed: int) -> list[str]:
    drawn = random.Random(seed)  # noqa: S311 - made-up text, not secrecy
    return [
        " ".join(drawn.choice(COMMON if drawn.random() < 0.5 else WORDS) for _ in range(drawn.randint(8, 16)))
        for _ in range(count)
    ]


def rows(source: list[str], said: list[str], name: str) -> list[Pair]:
    return [Pair(f"{name}-{place}", one, two) for place, (one, two) in enumerate(zip(source, said, strict=True))]


def retouched(text: str, drawn: random.Random) -> str:
    """The same sentence as people copy it: other case and marks, one letter changed, one word lost or added, or put
    into a longer sentence."""
    words = text.split()
    way = drawn.randrange(5)
    if way == 0:
        return text.capitalize().replace(" ", ", ", 1) + "."
    if way == 1:
        return text[:-1] + "z"
    if way == 2 and len(words) > 10:
        return " ".join(words[:-1])
    if way == 3:
        return text + " " + drawn.choice(WORDS)
    return " ".join([*drawn.choices(WORDS, k=2), *words, "ba"]) if len(words) > 8 else text.upper()


def test_nearly_all_planted_copies_are_found_with_their_pair_and_clean_splits_pass() -> None:
    drawn = random.Random(3)  # noqa: S311 - made-up text, not secrecy
    trained = rows(sentences(1500, 1), sentences(1500, 2), "train")
    clean = rows(sentences(400, 3), sentences(400, 4), "test")
    planted = {}
    for number in range(400):
        of = drawn.randrange(len(trained))
        is_source = number % 2 == 0
        text = retouched(trained[of].source if is_source else trained[of].completion, drawn)
        other = clean[number]
        made = Pair(f"planted-{number}", *((text, other.completion) if is_source else (other.source, text)))
        planted[made.id] = (made, trained[of].id)
    found = {leak.held_out: leak for leak in find_leaks(trained, [*clean, *(made for made, _ in planted.values())])}
    right = [name for name, (_, of) in planted.items() if name in found and found[name].trained == of]
    assert len(right) >= 0.99 * len(planted), f"{len(right)} of {len(planted)}"
    assert not [row.id for row in clean if row.id in found]


def test_lines_of_everyday_life_are_no_leaks_of_one_another() -> None:
    folder = Path("training/evaluation/texts")
    lines = (folder / "en.txt").read_text().splitlines()
    pairs = rows(lines, list(reversed(lines)), "row")
    assert find_leaks(pairs[::2], pairs[1::2]) == []


def test_short_phrases_leak_only_where_both_sides_are_the_same() -> None:
    trained = [Pair("t1", "Good morning.", "ki hats'i"), Pair("t2", "Yes", "hää")]
    held = [Pair("h1", "good morning", "ki hats'i!"), Pair("h2", "Good morning", "xi hats'i"), Pair("h3", "No", "hää")]
    assert [(leak.held_out, leak.trained, leak.how) for leak in find_leaks(trained, held)] == [("h1", "t1", "same")]


def test_the_same_question_may_be_asked_of_many() -> None:
    answer = "ba ben bixi do dun fathi ge ki no"
    trained = [Pair("t1", "", "haa"), Pair("t2", "", answer)]
    leaks = find_leaks(trained, [Pair("h1", "", "haa"), Pair("h2", "", answer)])
    assert [(leak.held_out, leak.trained) for leak in leaks] == [("h2", "t2")]


def test_a_sentence_inside_a_longer_one_is_found_by_its_runs_of_words() -> None:
    inside = "ba ben bixi do dun fathi ge ki no mu"
    long = "tu tun tuxi pa pan pathi " + inside + " pe pen pexi fo fon ku kun kuxi ne nen nexi pi"
    (leak,) = find_leaks([Pair("t", long, "x")], [Pair("h", inside, "y")])
    assert (leak.how, leak.side, leak.alike) == ("run", "source", 1.0)


def test_scripts_without_blanks_are_compared_by_characters() -> None:
    text = "".join(chr(0x0E01 + (7 * place * place + place) % 40) for place in range(50))
    (leak,) = find_leaks([Pair("t", text, "x")], [Pair("h", text[:-2], "y")])
    assert leak.how == "near"
    assert leak.alike >= ALIKE


def test_rows_from_elsewhere_give_an_answer_away_but_not_by_the_same_question():
    asked, said = sentences(2, 1), sentences(2, 2)
    held_out = rows(asked, said, "held")
    elsewhere = [
        Pair("copied", "", f"ba {said[0]} thi"),
        Pair("again", "", said[0].upper()),
        Pair("translated", asked[1], sentences(1, 3)[0]),
        Pair("short", "", "ba"),
        Pair("same", asked[1], said[1]),
    ]
    assert giving_away(elsewhere, held_out) == {"copied", "again", "same"}
    short = [Pair("held", "what?", "ba"), Pair("other", "", "ba")]
    assert giving_away([Pair("a", "What", "Ba."), Pair("b", "which?", "ba")], short) == {"a"}
