"""Labels from votes: each method by hand where a hand can reckon it, beside crowd-kit, and at its edges."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from annotation.aggregation import choosing
from annotation.aggregation.aggregate import Aggregate
from annotation.aggregation.classes import METHODS, dawid_skene, mace, majority, one_coin, weighted_majority
from annotation.aggregation.votes import Votes
from tests.aggregation.crowds import crowd

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
TWO_OF_THREE = [("x", "a", 1), ("x", "b", 1), ("x", "c", 0), ("y", "a", 0), ("y", "b", 0), ("y", "c", 0)]


def by_task(result: Aggregate) -> dict[Any, Any]:
    return {task: result.label(number) for number, task in enumerate(result.tasks)}


def share_right(result: Aggregate, truth: dict[str, str]) -> float:
    return float(np.mean([label == truth[task] for task, label in by_task(result).items()]))


def test_the_majority_is_counted_by_hand() -> None:
    result = majority(Votes.of(TWO_OF_THREE))

    assert by_task(result) == {"x": 1, "y": 0}
    assert result.confidence.tolist() == pytest.approx([2 / 3, 1])
    assert result.skills.skill.tolist() == pytest.approx([1, 1, 0.5])


def test_weighted_majority_lets_those_who_agree_with_others_decide() -> None:
    # A agrees with the majority twice of three times, D always; on the last task they are against each other.
    rows = [
        ("1", "a", 0), ("1", "b", 0), ("1", "d", 0),
        ("2", "a", 1), ("2", "b", 0), ("2", "d", 0),
        ("3", "a", 1), ("3", "d", 0),
    ]  # fmt: skip
    result = weighted_majority(Votes.of(rows))

    # Task 3 is tied, and in a tie the label that is frequent counts: so A agrees in 1 of 3, D in 3 of 3.
    assert by_task(result)["3"] == 0
    assert result.confidence[2] == pytest.approx(1 / (1 + 1 / 3))


@every_method
def test_careful_people_are_believed(method: Any) -> None:
    rows, truth = crowd([0.9, 0.85, 0.8, 0.8, 0.75], tasks=400)

    assert share_right(method(Votes.of(rows)), truth) > 0.93


@pytest.mark.parametrize("method", [dawid_skene, METHODS["shared_dawid_skene"], one_coin, METHODS["pooled"]])
def test_three_spammers_are_seen_through(method: Any) -> None:
    rows, truth = crowd([0.9, 0.9, 1 / 3, 1 / 3, 1 / 3], tasks=400)
    votes = Votes.of(rows)
    result = method(votes)

    assert share_right(result, truth) > share_right(majority(votes), truth) + 0.05
    skill = dict(zip(result.skills.workers, result.skills.skill.tolist(), strict=True))
    assert min(skill["w0"], skill["w1"]) > 0.8
    assert max(skill["w2"], skill["w3"], skill["w4"]) < 0.5


def test_someone_who_swaps_two_labels_still_says_something() -> None:
    rows, truth = crowd([0.9, 0.8, 0.8], tasks=400, labels="AB")
    swapped = [(task, "liar", "AB"[truth[task] == "A"]) for task in truth]

    result = dawid_skene(Votes.of(rows + swapped))

    assert share_right(result, truth) > 0.99


def test_someone_who_always_says_the_same_is_a_spammer_to_mace() -> None:
    rows, truth = crowd([0.85, 0.8, 0.8], tasks=400, labels="AB")
    lazy = [(task, name, "A") for task in truth for name in ("lazy", "lazier")]
    votes = Votes.of(rows + lazy)

    assert share_right(mace(votes), truth) > share_right(majority(votes), truth) + 0.05


@pytest.mark.parametrize(("name", "ours"), [("DawidSkene", dawid_skene), ("OneCoinDawidSkene", one_coin)])
def test_crowd_kit_finds_the_same_probabilities(name: str, ours: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crowdkit.aggregation as theirs
    import pandas as pd

    rows, _ = crowd([0.8, 0.75, 0.7, 0.6, 0.55], tasks=200)
    model = getattr(theirs, name)(n_iter=5, tol=0).fit(pd.DataFrame(rows, columns=["task", "worker", "label"]))
    result = ours(Votes.of(rows), rounds=5)

    expected = model.probas_.loc[list(result.tasks), list(result.labels)].to_numpy()
    assert np.abs(result.probability - expected).max() < 1e-6


def test_crowd_kit_counts_the_same_majority() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from crowdkit.aggregation import MajorityVote
    import pandas as pd

    rows, _ = crowd([0.8, 0.7, 0.6, 0.5, 0.4], tasks=100, each=3)
    result = majority(Votes.of(rows))

    expected = MajorityVote().fit(pd.DataFrame(rows, columns=["task", "worker", "label"])).probas_
    assert np.abs(result.probability - expected.loc[list(result.tasks), list(result.labels)].to_numpy()).max() < 1e-12


@every_method
def test_the_order_of_the_rows_does_not_matter(method: Any) -> None:
    rows, _ = crowd([0.9, 0.7, 0.6, 0.5], tasks=60, each=3)
    forth, back = method(Votes.of(rows)), method(Votes.of(rows[::-1]))

    other = {task: back.probability[number] for number, task in enumerate(back.tasks)}
    assert back.labels == forth.labels
    assert all(np.allclose(forth.probability[n], other[task], atol=1e-6) for n, task in enumerate(forth.tasks))


@every_method
def test_the_same_votes_give_the_same_bits(method: Any) -> None:
    rows, _ = crowd([0.9, 0.7, 0.6], tasks=50)

    assert (method(Votes.of(rows)).probability == method(Votes.of(rows)).probability).all()


@every_method
def test_nobody_voted(method: Any) -> None:
    result = method(Votes.of([]))

    assert list(result.tasks) == []
    assert result.probability.shape == (0, 0)
    assert result.confidence.tolist() == []


@every_method
def test_there_is_one_label(method: Any) -> None:
    result = method(Votes.of([("x", "a", "A"), ("x", "b", "A"), ("y", "a", "A")]))

    assert by_task(result) == {"x": "A", "y": "A"}
    assert result.confidence.tolist() == pytest.approx([1, 1])


@every_method
def test_there_is_one_worker(method: Any) -> None:
    result = method(Votes.of([("x", "a", "A"), ("y", "a", "B"), ("z", "a", "B")]))

    # What leans on the crowd may take a lone vote for the slip of a hand.
    if result.method != "shared_dawid_skene":
        assert by_task(result) == {"x": "A", "y": "B", "z": "B"}
    assert np.isfinite(result.probability).all()


def test_a_tie_is_named_and_goes_to_the_label_that_is_frequent() -> None:
    result = majority(Votes.of([("x", "a", "A"), ("x", "b", "B"), ("y", "a", "B"), ("y", "b", "B")]))

    assert result.is_tied.tolist() == [True, False]
    assert by_task(result) == {"x": "B", "y": "B"}


def test_a_tie_of_equally_frequent_labels_goes_to_the_first() -> None:
    result = majority(Votes.of([("x", "b", "B"), ("x", "a", "A")]))

    assert result.is_tied.tolist() == [True]
    assert by_task(result) == {"x": "A"}


@every_method
def test_repeating_oneself_is_not_a_second_vote(method: Any) -> None:
    once = [*TWO_OF_THREE]
    again = [*once, ("x", "c", 0), ("x", "c", 0), ("x", "c", 0)]

    assert np.allclose(method(Votes.of(once)).probability, method(Votes.of(again)).probability)


def test_two_minds_are_half_a_vote_each() -> None:
    result = majority(Votes.of([("x", "a", 0), ("x", "a", 1), ("x", "b", 1)]))

    assert result.probability.tolist() == [pytest.approx([0.25, 0.75])]
    assert result.skills.votes.tolist() == [1, 1]


def test_labels_that_nobody_chose_may_be_named() -> None:
    result = majority(Votes.of([("x", "a", "A")], labels=["A", "B"]))

    assert list(result.labels) == ["A", "B"]
    assert result.probability.tolist() == [[1, 0]]


@pytest.mark.parametrize("method", [dawid_skene, METHODS["shared_dawid_skene"], one_coin, mace])
def test_a_warm_start_comes_to_the_same_in_fewer_rounds(method: Any) -> None:
    rows, _ = crowd([0.85, 0.8, 0.7, 0.6], tasks=500)
    before = method(Votes.of(rows[:-40]))
    votes = Votes.of(rows)

    cold, warm = method(votes), method(votes, start=before)

    assert warm.rounds < cold.rounds
    assert np.abs(warm.probability - cold.probability).max() < 0.01


def test_a_warm_start_knows_people_by_name_and_takes_newcomers_as_like_the_crowd() -> None:
    rows, _truth = crowd([0.95, 0.9, 0.2, 0.2, 0.2], tasks=300)
    before = dawid_skene(Votes.of(rows))
    # New tasks, on which three who were careless outvote one who was careful, and somebody new joins.
    fresh = [(f"n{n}", worker, said) for n in range(3) for worker, said in (("w0", "A"), ("w2", "B"), ("w3", "B"))]
    result = dawid_skene(Votes.of([*fresh, ("n0", "new", "A")]), start=before, rounds=1)

    assert by_task(result)["n0"] == "A"


def test_skills_have_intervals_that_narrow_with_votes() -> None:
    few, _ = crowd([0.8, 0.8, 0.8], tasks=10)
    many, _ = crowd([0.8, 0.8, 0.8], tasks=1000)

    wide, narrow = (dawid_skene(Votes.of(rows)).skills for rows in (few, many))

    assert ((wide.low <= wide.skill) & (wide.skill <= wide.high)).all()
    assert (narrow.high - narrow.low).max() < (wide.high - wide.low).min()
    assert narrow.low[0] < 0.8 < narrow.high[0] + 0.03


@pytest.mark.parametrize(
    ("skills", "each", "tasks", "chosen"),
    [([0.8] * 5, 5, 200, "pooled"), ([0.8] * 300, 1, 300, "majority"), ([0.8] * 200, 2, 200, "majority"),
     ([0.8] * 60, 5, 60, "shared_dawid_skene")],
)  # fmt: skip
def test_auto_chooses_by_redundancy_and_says_why(skills: list[float], each: int, tasks: int, chosen: str) -> None:
    rows, _ = crowd(skills, each=each, tasks=tasks)

    result = choosing.aggregate(Votes.of(rows))

    assert result.method == chosen
    assert result.why
