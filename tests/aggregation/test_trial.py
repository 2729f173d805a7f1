"""A made-up crowd behaves as it says, and trials of rules on it are honest comparisons."""

import pytest

from annotation.aggregation.crowd import MANNERS, Crowd, are_mates
from annotation.aggregation.trial import Mode, Trial
from annotation.aggregation.verdicts import THREE_OF_FIVE, Outcome, settle


@pytest.fixture(scope="module")
def crowd():
    return Crowd(seed=11, answers=1500)


@pytest.fixture(scope="module")
def trials(crowd):
    """(guarded, plain), both run."""
    made = Trial(crowd), Trial(crowd, mode=Mode.PLAIN)
    return [(trial, trial.run()) for trial in made]


def test_the_same_seed_is_the_same_crowd_and_the_same_result(crowd, trials):
    again = Crowd(seed=11, answers=1500)
    assert again.answers == crowd.answers
    assert again.hours == crowd.hours
    assert Trial(again).run() == trials[0][1]
    assert Crowd(seed=12, answers=1500).answers != crowd.answers


def test_a_vote_does_not_depend_on_when_it_is_asked(crowd):
    some = [(member, answer) for member in crowd.members for answer in crowd.answers[::100]]
    assert [crowd.vote(*pair) for pair in some] == [crowd.vote(*pair) for pair in some[::-1]][::-1]


@pytest.mark.parametrize("kind", ["careful", "careless", "spammer"])
def test_people_vote_as_their_kind_does(crowd, kind):
    manner = MANNERS[kind]
    votes = {"right": [], "plain": [], "subtle": []}
    for member in crowd.members:
        if member.kind == kind:
            for answer in crowd.answers:
                sort = "right" if not answer.is_wrong else "subtle" if answer.is_subtle else "plain"
                votes[sort].append(crowd.vote(member, answer))
    for sort, share in [
        ("right", manner.refuses_right),
        ("plain", manner.catches_plain),
        ("subtle", manner.catches_subtle),
    ]:
        turned_down = sum(vote in ("reject", "fix") for vote in votes[sort]) / len(votes[sort])
        assert turned_down == pytest.approx(share * (1 - manner.unsure), abs=0.04)


def test_colluders_approve_their_ring_and_nobody_else(crowd):
    ring = [member for member in crowd.members if member.kind == "colluder"]
    for member in ring:
        for answer in crowd.answers:
            assert (crowd.vote(member, answer) == "approve") == are_mates(member, answer.author)


def test_crowds_have_the_people_that_were_asked_for():
    kinds = [member.kind for member in Crowd(seed=1, answers=1, malicious=5, is_sly=True).members]
    assert {kind: kinds.count(kind) for kind in kinds} == {"careful": 75, "careless": 20, "spammer": 2, "sly": 3}


def test_nobody_votes_on_their_own_answers(trials):
    for trial, _ in trials:
        assert all(entry.answer.author.number not in entry.votes for entry in trial.entries)


def test_both_rules_hear_the_same_vote_from_the_same_person_on_the_same_answer(trials):
    (guarded, _), (plain, _) = trials
    both = 0
    for here, there in zip(guarded.entries, plain.entries, strict=True):
        for reviewer in here.votes.keys() & there.votes.keys():
            assert here.votes[reviewer] == there.votes[reviewer]
            both += 1
    assert both > 500


def test_everything_is_settled_in_the_end(trials):
    assert [result.open_share for _, result in trials] == [0, 0]


def test_plain_is_the_majority_of_what_was_not_unsure(trials):
    plain, result = trials[1]
    assert result.expert_share == 0
    for entry in plain.entries:
        votes = [vote == "approve" for vote in entry.votes.values() if vote != "unsure"]
        assert (entry.outcome is Outcome.VALIDATED) == (sum(votes) > len(votes) / 2)
        assert 2 in (sum(votes), len(votes) - sum(votes))


def test_guarded_outcomes_are_the_rule_s_on_the_votes_that_count(trials):
    trial, _ = trials[0]
    for entry in trial.entries:
        if not entry.is_by_expert:
            author = entry.answer.author.number
            counted = [vote for reviewer, vote in entry.votes.items() if trial.guard.counts(reviewer, author)]
            assert settle(counted) is entry.outcome


def test_the_rule_alone_has_an_expert_but_neither_gold_nor_guard(crowd):
    trial = Trial(crowd, mode=Mode.ALONE)
    result = trial.run()
    assert result.expert_share > 0
    assert result.votes_per_item * len(trial.entries) == sum(len(entry.votes) for entry in trial.entries)


def test_gold_answers_and_votes_that_no_longer_count_are_paid_for(trials):
    trial, result = trials[0]
    given = sum(len(entry.votes) for entry in trial.entries)
    assert result.votes_per_item * len(trial.entries) > given


def test_the_guard_stops_most_of_the_malicious_and_none_of_the_careful(trials):
    _, result = trials[0]
    assert result.malicious_stopped > 0.5
    assert result.careful_stopped == 0


def test_an_honest_crowd_is_left_alone():
    result = Trial(Crowd(seed=4, answers=1500, malicious=0)).run()
    assert (result.careful_stopped, result.pairs) == (0, 0)


def test_the_guard_pays_on_a_crowd_with_malicious_people(trials):
    (_, guarded), (_, plain) = trials
    assert guarded.wrong_validated < plain.wrong_validated
    assert guarded.right_rejected < plain.right_rejected / 2
    assert guarded.votes_per_item < plain.votes_per_item * 1.2


def test_any_rule_can_be_tried():
    crowd = Crowd(seed=2, answers=300)
    assert Trial(crowd, rule=THREE_OF_FIVE).run().votes_per_item > 3
    assert Trial(Crowd(seed=2, answers=0)).run().votes_per_item == 0
