"""How models are asked for answers of a kind, and how what they say is read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annotation.kinds import KINDS
from annotation.kinds.contract import Asked, Written
from tests.kinds.test_kinds import GOOD, asked

TAUGHT = sorted(name for name, kind in KINDS.items() if kind.lesson)
LABELS = {"labels": [{"name": "PER", "words": "people"}, {"name": "LOC", "words": ""}], "overlap": False}


def label(text: str, said: str, **settings: object) -> list[tuple[int, int, str]]:
    lesson = KINDS["label"].lesson
    assert lesson is not None
    _, payload = lesson.read(Asked(text=text, settings={**LABELS, **settings}), said)
    return [(span["start"], span["end"], span["label"]) for span in payload["spans"]]


def test_all_kinds_but_choices_and_what_models_are_measured_on_teach_answers() -> None:
    assert set(KINDS) - set(TAUGHT) == {"compare", "contrast", "rate"}


@pytest.mark.parametrize("name", TAUGHT)
def test_what_a_model_should_say_is_read_back_as_the_answer(name: str) -> None:
    (text, payload), _ = GOOD[name]
    kind, task = KINDS[name], asked(name)
    assert kind.lesson is not None
    written = kind.check(text, payload, task)

    said = kind.lesson.completion(task, written)

    assert said
    assert kind.key_of(kind.check(*kind.lesson.read(task, said), task)) == kind.key_of(written)


@pytest.mark.parametrize("name", TAUGHT)
def test_the_request_holds_the_sentence(name: str) -> None:
    lesson = KINDS[name].lesson
    assert lesson is not None
    assert "una frase" in lesson.request(asked(name))


def test_labels_are_asked_for_with_what_they_mean() -> None:
    lesson = KINDS["label"].lesson
    assert lesson is not None
    request = lesson.request(Asked(text="Ana llega", settings=LABELS))

    assert "PER (people), LOC." in request
    assert request.endswith("\nAna llega")


def test_the_same_words_twice_are_two_places() -> None:
    assert label("Ana y Ana", "PER: Ana\nPER: Ana") == [(0, 3, "PER"), (6, 9, "PER")]
    assert label("Ana y Ana", "PER: Ana\nPER: Ana\nPER: Ana") == [(0, 3, "PER"), (6, 9, "PER")]


@pytest.mark.parametrize(
    "said",
    ["", "–", "I cannot.", "ORG: Ana", "PER: Eva", "PER:", ": Ana", "PER: An\u0301a", "Ana"],
)
def test_what_cannot_be_meant_is_left_out(said: str) -> None:
    assert label("Ana llega", said) == []


def test_half_a_letter_is_never_marked() -> None:
    # The accent belongs to the letter before it.
    assert label("a\u0301 b", "LOC: a") == []


def test_marks_that_overlap_are_kept_only_where_they_may() -> None:
    said = "LOC: Ciudad de Ana\nPER: Ana"

    assert label("Ciudad de Ana", said) == [(0, 13, "LOC")]
    assert label("Ciudad de Ana", said, overlap=True) == [(0, 13, "LOC"), (10, 13, "PER")]


def test_a_sentence_without_names_is_a_lesson_too() -> None:
    lesson = KINDS["label"].lesson
    assert lesson is not None
    task = Asked(text="llueve", settings=LABELS)

    said = lesson.completion(task, Written(payload={"spans": []}))

    assert said in lesson.request(task)
    assert label("llueve", said) == []


def test_classes_are_read_whatever_their_case_and_what_comes_after() -> None:
    kind, task = KINDS["classify"], asked("classify")
    assert kind.lesson is not None
    names = [one["name"] for one in task.settings["labels"]]

    assert kind.lesson.read(task, f" {names[0].upper()} \nbecause") == ("", {"labels": names[:1]})
    assert kind.lesson.read(task, "") == ("", {"labels": []})


def test_a_picture_is_described_to_those_who_do_not_see_it() -> None:
    lesson = KINDS["write"].lesson
    assert lesson is not None
    task = replace(asked("write"), extra={"picture": "a red boat"})

    assert "a red boat" in lesson.request(task)
    assert lesson.request(replace(task, text="", extra={})) == "Write something in Test."
