"""What the explanation says of a rule is what the rule does.

The test reads the sentences, settles by nothing but them, and compares with `settle` and `wants_more`.
"""

import re
from itertools import product

import pytest

from annotation.aggregation.explanation import every_sentence, explain
from annotation.aggregation.stopping import StopRule, wants_more
from annotation.aggregation.verdicts import FIRST_TO_TWO, Outcome, Rule, settle

WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
NUMBERS = {word: number for number, word in enumerate(WORDS)} | {"first": 1}
VOTES = ("approve", "reject", "fix", "unsure")
RULES = [
    Rule(concordant=concordant, most=most, unsure_limit=limit)
    for concordant, most, limit in product(range(1, 8), repeat=3)
    if concordant <= most
]
CLAIMS = {
    "settles": r"The (first) verdict settles it: an approval accepts it, a rejection or a correction turns it down\."
    r"|(\w+) people who agree settle it: (\w+) approvals accept it, "
    r"(\w+) rejections or (\w+) corrections turn it down\.",
    "apart": r"A rejection and a correction are not the same verdict\.",
    "third": r"If the first two do not agree, a third is asked\.",
    "up_to": r"As long as it is not settled, another person is asked, up to (\w+) in all\.",
    "gives_up": r"If (\w+) (?:person has|people have) not settled it, an expert decides\.",
    "unsure": r"Somebody who is not sure has been asked, but has given no verdict\.",
    "limit": r"As soon as (\w+) (?:person is|people are) not sure, an expert decides\.",
    "skip": r"Skipping is not a vote\.",
    "enough": r"(One) answer is enough for a task\.|A task asks for (\w+) answers\.",
    "matching": r"A task asks for answers until (\w+) of them are the same\.",
    "unique": r"A task asks for answers until (\w+) of them differ from each other\.",
    "no_more": r"It asks for no more than (\w+) answers in all\.",
}


def read(sentences):
    """What each sentence claims: its kind, with its number where it has one."""
    claims = {}
    for sentence in sentences:
        [(kind, match)] = [(kind, found) for kind, claim in CLAIMS.items() if (found := re.fullmatch(claim, sentence))]
        numbers = {NUMBERS[word.lower()] for word in match.groups() if word}
        assert len(numbers) <= 1, sentence
        assert kind not in claims, sentence
        claims[kind] = numbers.pop() if numbers else None
    return claims


def settle_by_words(claims, votes):
    verdicts = {verdict: votes.count(verdict) for verdict in ("approve", "reject", "fix")}
    assert claims["settles"] == 1 or "apart" in claims
    if verdicts["approve"] == claims["settles"]:
        return Outcome.VALIDATED
    if claims["settles"] in (verdicts["reject"], verdicts["fix"]):
        return Outcome.REJECTED
    if votes.count("unsure") == claims.get("limit"):
        return Outcome.EXPERT
    return Outcome.EXPERT if len(votes) == claims.get("gives_up") else Outcome.OPEN


def walk(rule):
    """Every way in which votes can come until the answer is settled; of those with equal counts, one."""
    waiting, seen = [[]], set()
    while waiting:
        votes = waiting.pop()
        yield votes
        if settle(votes, rule) is Outcome.OPEN:
            for vote in VOTES:
                counts = tuple(sorted([*votes, vote]))
                if counts not in seen:
                    seen.add(counts)
                    waiting.append([*votes, vote])


def test_all_legal_settings_are_walked():
    assert len(RULES) == 28 * 7


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_words_settle_every_sequence_of_votes_as_the_rule_does(rule):
    claims = read(explain(rule))
    assert {"unsure", "skip"} <= set(claims)
    for votes in walk(rule):
        assert settle_by_words(claims, votes) is settle(votes, rule), votes


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_another_person_is_asked_exactly_as_long_as_the_words_say(rule):
    claims = read(explain(rule))
    asked_at_most = max(len(votes) for votes in walk(rule))
    if "third" in claims:
        assert {settle(votes, rule) for votes in product(VOTES, repeat=2) if len(set(votes)) == 2} == {Outcome.OPEN}
        assert asked_at_most == 3
    elif "up_to" in claims:
        assert asked_at_most == claims["up_to"]
    else:
        assert asked_at_most == 1


def test_the_usual_rule_in_words():
    assert explain(FIRST_TO_TWO, answered=StopRule.unique(3, 5)) == [
        "Two people who agree settle it: two approvals accept it, two rejections or two corrections turn it down.",
        "A rejection and a correction are not the same verdict.",
        "If the first two do not agree, a third is asked.",
        "If three people have not settled it, an expert decides.",
        "Somebody who is not sure has been asked, but has given no verdict.",
        "As soon as three people are not sure, an expert decides.",
        "Skipping is not a vote.",
        "A task asks for answers until three of them differ from each other.",
        "It asks for no more than five answers in all.",
    ]


STOPS = [StopRule.total(n) for n in range(1, 7)] + [
    stop(n, most)
    for stop in (StopRule.matching, StopRule.unique)
    for n, most in product(range(1, 7), repeat=2)
    if n <= most
]


@pytest.mark.parametrize("stop", STOPS, ids=str)
def test_the_words_stop_a_task_when_the_rule_does(stop):
    claims = read(explain(FIRST_TO_TWO, answered=stop)[7:])
    for count in range(7):
        for answers in product("abc", repeat=count):
            if "matching" in claims:
                is_enough = max(map(answers.count, answers), default=0) >= claims["matching"]
            elif "unique" in claims:
                is_enough = len(set(answers)) >= claims["unique"]
            else:
                is_enough = count >= claims["enough"]
            assert wants_more(stop, answers) is not (is_enough or count >= claims.get("no_more", 99)), answers


def test_every_sentence_that_can_be_said_is_listed_once():
    listed = every_sentence()
    assert len(listed) == len(set(listed))
    said = {sentence for rule in RULES for stop in STOPS for sentence in explain(rule, answered=stop)}
    assert said <= set(listed)
    assert all(read([sentence]) for sentence in listed)
