"""What a rule means, in words for the people whose answers it settles.

Whole sentences with one number each, so few of them that each can be a message of a translation catalogue.
"""

from __future__ import annotations

from itertools import product

from annotation.aggregation.stopping import MOST_ANSWERS, N_MATCHING, N_TOTAL, STOPS, StopRule
from annotation.aggregation.verdicts import MOST_VOTES, Rule

_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def explain(rule: Rule, *, answered: StopRule | None = None) -> list[str]:
    """Say what settles an answer and, given a stop rule, when a task has answers enough."""
    return [
        *_settling(rule.concordant),
        *_asking(rule),
        *_giving_up(rule),
        *_unsure(rule),
        "Skipping is not a vote.",
        *(_stopping(answered) if answered else []),
    ]


def every_sentence() -> list[str]:
    """All that `explain` can say, for translation catalogues."""
    votes, answers = range(1, MOST_VOTES + 1), range(1, MOST_ANSWERS + 1)
    rules = [
        Rule(concordant=concordant, most=most, unsure_limit=limit)
        for concordant, most, limit in product(votes, votes, votes)
        if concordant <= most
    ]
    stops = [
        StopRule(stop=stop, n=n, most=None if stop == N_TOTAL else most)
        for stop, n, most in product(STOPS, answers, answers)
        if n <= most
    ]
    said = [explain(rule) for rule in rules] + [_stopping(stop) for stop in stops]
    return list(dict.fromkeys(sentence for sentences in said for sentence in sentences))


def _settling(concordant: int) -> list[str]:
    if concordant == 1:
        return ["The first verdict settles it: an approval accepts it, a rejection or a correction turns it down."]
    some = _WORDS[concordant]
    return [
        f"{some.capitalize()} people who agree settle it: {some} approvals accept it, "
        f"{some} rejections or {some} corrections turn it down.",
        "A rejection and a correction are not the same verdict.",
    ]


def _votes_without_end(rule: Rule) -> int:
    """The most votes that can come without enough equal verdicts and without too many unsure people."""
    return 3 * (rule.concordant - 1) + rule.unsure_limit - 1


def _asking(rule: Rule) -> list[str]:
    # Where `most` is more than can ever be asked, the words name what can.
    most = min(rule.most, _votes_without_end(rule) + 1)
    if most == 1:
        return []
    if (rule.concordant, rule.most) == (2, 3) and rule.unsure_limit > 2:
        return ["If the first two do not agree, a third is asked."]
    return [f"As long as it is not settled, another person is asked, up to {_WORDS[most]} in all."]


def _giving_up(rule: Rule) -> list[str]:
    if rule.most > _votes_without_end(rule):
        return []
    people = "one person has" if rule.most == 1 else f"{_WORDS[rule.most]} people have"
    return [f"If {people} not settled it, an expert decides."]


def _unsure(rule: Rule) -> list[str]:
    asked = "Somebody who is not sure has been asked, but has given no verdict."
    if rule.unsure_limit > rule.most:
        return [asked]
    people = "one person is" if rule.unsure_limit == 1 else f"{_WORDS[rule.unsure_limit]} people are"
    return [asked, f"As soon as {people} not sure, an expert decides."]


def _stopping(rule: StopRule) -> list[str]:
    if rule.n == 1:
        return ["One answer is enough for a task."]
    some = _WORDS[rule.n]
    if rule.most is None:
        return [f"A task asks for {some} answers."]
    likeness = "are the same" if rule.stop == N_MATCHING else "differ from each other"
    return [
        f"A task asks for answers until {some} of them {likeness}.",
        f"It asks for no more than {_WORDS[rule.most]} answers in all.",
    ]
