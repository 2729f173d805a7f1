"""Spans from several people's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from annotation.aggregation import choosing
from annotation.aggregation.scoring import span_f1
from annotation.aggregation.spans import METHODS, Span, SpanTask, cut, overlap, runs, sequential, token_majority

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
WORDS = [f"w{number}" for number in range(40)]
NAMES = {"PER": ["Anna Bo", "Cid", "Dag El"], "LOC": ["Fern", "Gro Hill"]}


def marked(skills: list[tuple[float, float]], *, texts: int = 250, seed: int = 4) -> tuple[list[SpanTask], list[Any]]:
    """Made-up texts; worker w marks a name with probability skills[w][0], and calls it right with skills[w][1]."""
    chance = np.random.default_rng(seed)
    tasks, truth = [], []
    for number in range(texts):
        text, right = "", []
        for _ in range(int(chance.integers(4, 9))):
            if chance.random() < 0.35:
                label = ["PER", "LOC"][int(chance.integers(2))]
                name = NAMES[label][int(chance.integers(len(NAMES[label])))]
                right.append((len(text), len(text) + len(name), label))
                text += name + " "
            text += WORDS[int(chance.integers(len(WORDS)))] + " "
        by: dict[str, list[Span]] = {}
        for worker, (marks, names) in enumerate(skills):
            own = []
            for start, end, label in right:
                if chance.random() < marks:
                    kept = label if chance.random() < names else ["PER", "LOC"][label == "PER"]
                    own.append((start, end, kept))
            by[f"w{worker}"] = own
        tasks.append(SpanTask(number, text, by))
        truth.append(right)
    return tasks, truth


def f1(result: Any, truth: list[Any]) -> float:
    return float(span_f1(list(zip(result.spans, truth, strict=True)))["span_f1"])


def one(*people: list[Span], text: str = "Anna Bo met Cid in Fern") -> list[SpanTask]:
    return [SpanTask("x", text, {f"w{number}": spans for number, spans in enumerate(people)})]


def test_token_majority_is_counted_by_hand() -> None:
    result = token_majority(one([(0, 7, "PER")], [(0, 7, "PER")], [(0, 4, "PER"), (12, 15, "PER")]))

    assert result.spans == [[(0, 7, "PER")]]
    assert result.confidence[0] == pytest.approx([2 / 3])


def test_in_a_tie_token_majority_marks_nothing() -> None:
    assert token_majority(one([(0, 7, "PER")], [])).spans == [[]]


@every_method
def test_careful_people_are_believed(method: Any) -> None:
    tasks, truth = marked([(0.95, 0.95)] * 4)

    assert f1(method(tasks), truth) > 0.95


def test_the_sequential_model_beats_the_majority_where_many_overlook_much() -> None:
    tasks, truth = marked([(0.95, 0.95), (0.9, 0.9), (0.3, 0.9), (0.25, 0.5), (0.2, 0.6)])

    majority, model = f1(token_majority(tasks), truth), f1(sequential(tasks), truth)

    assert model > majority + 0.05
    skills = sequential(tasks).skills
    assert skills.skill[:2].min() > skills.skill[2:].max()


@every_method
def test_nobody_marked_anything(method: Any) -> None:
    result = method(one([], []))

    assert result.spans == [[]]


@every_method
def test_there_are_no_texts(method: Any) -> None:
    assert list(method([]).spans) == []


@every_method
def test_an_empty_text_has_no_spans(method: Any) -> None:
    assert method([SpanTask("x", "", {"a": []}), *one([(0, 7, "PER")], [(0, 7, "PER")])]).spans[0] == []


@every_method
def test_people_who_looked_at_other_texts_are_missing_and_not_against_it(method: Any) -> None:
    tasks = [SpanTask(number, "Cid met Fern", {f"w{number % 3}": [(0, 3, "PER")], "z": [(0, 3, "PER")]})
             for number in range(12)]  # fmt: skip

    assert all(spans == [(0, 3, "PER")] for spans in method(tasks).spans)


def test_nested_spans_are_kept_by_voting_on_candidates() -> None:
    both: list[Span] = [(0, 15, "ORG"), (0, 4, "LOC")]
    tasks = [SpanTask(number, "Fern University of w1", {"a": both, "b": both, "c": both[:1]}) for number in range(6)]

    result = choosing.aggregate_spans(tasks)

    assert overlap(tasks)
    assert result.method == "candidates"
    assert set(result.spans[0]) == set(both)
    assert "overlap" in result.why


@pytest.mark.parametrize(
    ("text", "span"),
    [("𞤀𞤣𞤤𞤢𞤥 𞤆𞤵𞤤𞤢𞤪", (0, 5)), ("ខ្ញុំស្រលាញ់ភាសាខ្មែរ", (5, 12)), ("a👩‍👩‍👧b c", (1, 6)), ("שלום עולם", (5, 9))],
    ids=["astral", "no spaces", "emoji", "right to left"],
)
@every_method
def test_spans_of_any_script_keep_their_code_points(method: Any, text: str, span: tuple[int, int]) -> None:
    wanted = (*span, "X")
    tasks = [SpanTask(number, text, {"a": [wanted], "b": [wanted], "c": [wanted]}) for number in range(3)]

    assert method(tasks).spans == [[wanted]] * 3


def test_auto_takes_the_sequential_model_and_says_why() -> None:
    tasks, _ = marked([(0.9, 0.9)] * 3, texts=30)

    assert choosing.aggregate_spans(tasks).method == "sequential"
    assert "people a text" in choosing.aggregate_spans(tasks).why


def test_auto_counts_words_where_nobody_can_be_known() -> None:
    tasks = [SpanTask(number, "Cid met Fern", {f"w{number}": [(0, 3, "PER")]}) for number in range(5)]

    assert choosing.aggregate_spans(tasks).method == "token_majority"


def test_a_warm_start_comes_to_the_same_in_fewer_rounds() -> None:
    tasks, _ = marked([(0.9, 0.9), (0.6, 0.9), (0.3, 0.6)], texts=300)
    before = sequential(tasks[:-20])

    cold, warm = sequential(tasks), sequential(tasks, start=before)

    assert warm.rounds < cold.rounds
    assert sum(a != b for a, b in zip(warm.spans, cold.spans, strict=True)) <= 3


def test_posteriors_are_those_that_adding_up_every_sequence_gives() -> None:
    from itertools import product

    from annotation.aggregation.spans import _batches, _best_path, _forward_backward, _may_follow

    chance = np.random.default_rng(0)
    may = _may_follow(3)
    log_chain = np.where(may, np.log(chance.dirichlet(np.ones(3), size=4)), -np.inf)
    emission = chance.normal(size=(5, 3))
    first = np.array([0, 3, 5])
    posterior, _, likelihood = _forward_backward(emission, log_chain, _batches(first))
    path = _best_path(emission, log_chain, _batches(first))

    total = 0.0
    for begin, end in ((0, 3), (3, 5)):
        weights = {
            tags: log_chain[-1, tags[0]] + sum(log_chain[a, b] for a, b in itertools.pairwise(tags))
            + sum(emission[begin + place, tag] for place, tag in enumerate(tags))
            for tags in product(range(3), repeat=end - begin)
        }  # fmt: skip
        sums = np.exp(list(weights.values())).sum()
        total += np.log(sums)
        for place in range(end - begin):
            for tag in range(3):
                share = sum(np.exp(weight) for tags, weight in weights.items() if tags[place] == tag) / sums
                assert posterior[begin + place, tag] == pytest.approx(share)
        assert tuple(path[begin:end]) == max(weights, key=weights.__getitem__)
    assert likelihood == pytest.approx(total)


def test_tags_become_runs() -> None:
    # B-0 I-0 O B-1 B-1 I-0: what continues nothing begins.
    assert list(runs(np.array([1, 2, 0, 3, 3, 2]))) == [(0, 2, 0), (3, 4, 1), (4, 5, 1), (5, 6, 0)]


def test_atoms_are_cut_where_anybody_begins_or_ends() -> None:
    tokens = cut(one([(0, 2, "PER")], text="Anna"))

    assert list(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True)) == [(0, 2), (2, 4)]
