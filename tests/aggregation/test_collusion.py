"""Pairs who approve each other far above chance are found, and honest people are not."""

import math
from random import Random

import pytest

from annotation.aggregation.collusion import Vote, benjamini_hochberg, find_collusion, hypergeometric
from annotation.aggregation.verdicts import Outcome, settle


def made_votes(*, seed, people=10, answers=400, friends=(), enemies=()):
    """Votes of a made-up crowd: people differ in how often they err, how lenient they are and how much they see.

    Friends approve each other's answers unread; enemies turn down everybody's but their friends'.
    """
    random = Random(seed)  # noqa: S311 - a simulation, not secrecy
    wrong = [random.betavariate(1.5, 8) for _ in range(people)]
    lenient = [random.uniform(0.85, 0.99) for _ in range(people)]
    sharp = [random.uniform(0.5, 0.95) for _ in range(people)]
    votes = []
    for _ in range(answers):
        author = random.randrange(people)
        is_wrong = random.random() < wrong[author]
        given = []
        for reviewer in random.sample([person for person in range(people) if person != author], 3):
            approves = random.random() < (1 - sharp[reviewer] if is_wrong else lenient[reviewer])
            if {author, reviewer} <= set(friends):
                approves = True
            elif reviewer in enemies:
                approves = False
            given.append((reviewer, "approve" if approves else "reject"))
            outcome = settle([verdict for _, verdict in given])
            if outcome is not Outcome.OPEN:
                break
        votes += [Vote(author, reviewer, verdict, outcome.value) for reviewer, verdict in given]
    return votes


def pairs_of(votes, **settings):
    return [{pair.first, pair.second} for pair in find_collusion(votes, **settings)]


@pytest.mark.parametrize(
    ("people", "answers"), [(4, 300), (6, 2000), (10, 400), (30, 1000)], ids=["few", "few, long", "some", "many"]
)
def test_honest_crowds_are_left_alone_in_99_of_100(people, answers):
    flagged = sum(bool(pairs_of(made_votes(seed=seed, people=people, answers=answers))) for seed in range(100))
    assert flagged <= 1


def test_friends_who_approve_each_other_unread_are_found():
    found = [pairs_of(made_votes(seed=seed, people=6, answers=1200, friends={0, 1})) for seed in range(20)]
    assert found.count([{0, 1}]) >= 15


def test_friends_who_turn_everybody_else_down_are_found_soon():
    found = [pairs_of(made_votes(seed=seed, friends={0, 1}, enemies={0, 1})) for seed in range(20)]
    assert found.count([{0, 1}]) >= 18


def test_a_pair_comes_with_counts_and_chance():
    [pair] = find_collusion(made_votes(seed=3, friends={0, 1}, enemies={0, 1}))
    for approvals in (pair.first_of_second, pair.second_of_first):
        assert approvals.approved == approvals.votes
        assert approvals.expected < approvals.votes / 2
    assert 0 < pair.p_value <= pair.corrected <= 0.01


def test_admiration_from_one_side_is_no_collusion():
    strangers = [Vote("other", "fan", "reject", "validated")] * 40 + [Vote("other", "star", "reject", "validated")] * 40
    one_way = [Vote("star", "fan", "approve", "validated")] * 20 + [Vote("fan", "star", "reject", "validated")] * 20
    both_ways = [Vote("star", "fan", "approve", "validated"), Vote("fan", "star", "approve", "validated")] * 20
    assert find_collusion(strangers + one_way) == []
    assert pairs_of(strangers + both_ways) == [{"fan", "star"}]


def test_a_few_approvals_in_return_are_no_pattern():
    fan = [Vote("other", "fan", "reject", "validated")] * 40 + [Vote("star", "fan", "approve", "validated")] * 20
    star = [Vote("other", "star", "reject", "validated")] * 8 + [Vote("other", "star", "approve", "validated")] * 12
    in_return = [Vote("fan", "star", "approve", "validated")] * 3
    assert find_collusion(fan + star + in_return) == []


def test_who_approves_everything_colludes_with_nobody():
    assert find_collusion([Vote(a, b, "approve", "validated") for a in "pqr" for b in "pqr"] * 50) == []


@pytest.mark.parametrize("verdict", ["unsure", "skip"])
def test_what_is_no_verdict_is_no_evidence(verdict):
    votes = made_votes(seed=3, friends={0, 1}, enemies={0, 1})
    noise = [Vote(author, reviewer, verdict, "open") for author, reviewer, _, _ in votes]
    assert find_collusion(votes + noise) == find_collusion(votes)


def test_no_votes_and_votes_on_ones_own_answers_say_nothing():
    assert find_collusion([]) == []
    assert find_collusion([Vote("p", "p", "approve", "validated")] * 50) == []


def test_the_order_of_votes_changes_no_number():
    votes = made_votes(seed=5, friends={0, 1}, enemies={0, 1})
    [there], [back] = find_collusion(votes), find_collusion(votes[::-1])
    assert there.p_value == pytest.approx(back.p_value)
    assert {there.first_of_second, there.second_of_first} == {back.first_of_second, back.second_of_first}


def test_a_stricter_rate_reports_fewer():
    votes = made_votes(seed=5, friends={0, 1}, enemies={0, 1})
    assert len(find_collusion(votes, false_discovery=1e-30)) < len(find_collusion(votes))


def test_fisher_s_tea():
    """Four cups of eight named right by chance: 1 in 70 (Fisher 1935)."""
    chances = hypergeometric(4, 4, 4)
    assert chances[4] == pytest.approx(1 / 70)
    assert math.fsum(chances) == pytest.approx(1)


def test_benjamini_and_hochberg_by_hand():
    assert benjamini_hochberg([]) == []
    assert benjamini_hochberg([0.01, 0.03, 0.04, 0.5]) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
