"""A made-up crowd with known truth, to try rules on: who writes and votes how, and when.

Everything follows from the seed. What a person would say of an answer depends neither on when they are asked nor on
the rule, so two rules can be compared on the same people, answers, hours and votes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

PEOPLE = 100
CARELESS_PEOPLE = 20
ANSWERS = 4000
PRESENT = 0.1  # Share of hours in which a person is there.
ANSWERS_AN_HOUR = 3
VOTES_AN_HOUR = 30  # The limit on anybody's votes.
SUBTLE = 0.25  # Share of the wrong answers whose fault is hard to see.
RING = 5  # Colluders who act together.
WRONG_GOLD = 0.5  # Share of the gold answers in which an expert has planted a plain fault.
_64_BITS = 2**64 - 1


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How one kind of person writes and votes, in shares."""

    wrong: float
    """Of their own answers, those that are wrong."""
    refuses_right: float
    """Of right answers by others, those that they turn down."""
    catches_plain: float
    """Of wrong answers with a plain fault, those that they turn down."""
    catches_subtle: float
    corrects: float
    """Of the answers that they turn down, those that they correct instead of rejecting."""
    unsure: float
    votes_an_hour: int
    """Votes that they would give in an hour in which they are there."""
    spread: float
    """Standard deviation of the first four from one person of the kind to another."""


# A sly colluder differs from a colluder only towards strangers, whose answers they judge as careful people do.
MANNERS = {
    "careful": Manner(
        wrong=0.08,
        refuses_right=0.05,
        catches_plain=0.92,
        catches_subtle=0.65,
        corrects=0.2,
        unsure=0.04,
        votes_an_hour=12,
        spread=0.03,
    ),
    "careless": Manner(
        wrong=0.25,
        refuses_right=0.10,
        catches_plain=0.55,
        catches_subtle=0.30,
        corrects=0.1,
        unsure=0.02,
        votes_an_hour=18,
        spread=0.06,
    ),
    "spammer": Manner(
        wrong=0.7,
        refuses_right=0.0,
        catches_plain=0.0,
        catches_subtle=0.0,
        corrects=0.0,
        unsure=0.0,
        votes_an_hour=300,
        spread=0.0,
    ),
    "colluder": Manner(
        wrong=0.6,
        refuses_right=1.0,
        catches_plain=1.0,
        catches_subtle=1.0,
        corrects=0.0,
        unsure=0.0,
        votes_an_hour=18,
        spread=0.0,
    ),
    "sly": Manner(
        wrong=0.6,
        refuses_right=0.05,
        catches_plain=0.92,
        catches_subtle=0.65,
        corrects=0.2,
        unsure=0.04,
        votes_an_hour=18,
        spread=0.03,
    ),
}


@dataclass(frozen=True)
class Member:
    """One made-up person; `ring` is the number of the ring of colluders that they belong to."""

    number: int
    kind: str
    manner: Manner
    ring: int | None = None


@dataclass(frozen=True)
class Answer:
    """One answer and the truth about it."""

    number: int
    author: Member
    is_wrong: bool
    is_subtle: bool


@dataclass(frozen=True)
class Visit:
    """One hour of one person: what they have written in it; before, they vote."""

    member: Member
    wrote: tuple[Answer, ...]


class Crowd:
    """People, their answers, and the hours in which they come."""

    def __init__(
        self,
        *,
        seed: int,
        malicious: int = 10,
        is_sly: bool = False,
        answers: int = ANSWERS,
        answers_an_hour: int = ANSWERS_AN_HOUR,
    ) -> None:
        self.seed = seed
        self.answers_an_hour = answers_an_hour
        self._random = Random(seed)  # noqa: S311 - a simulation, not secrecy
        self.members = self._meet(malicious, "sly" if is_sly else "colluder")
        self.hours: list[list[Visit]] = []
        self.answers: list[Answer] = []
        while len(self.answers) < answers:
            self.hours.append([self._write(member, answers) for member in self._present(len(self.hours))])

    def visits(self, hour: int) -> list[Visit]:
        """Who comes in that hour, in which order; after all is written they come to vote only."""
        if hour < len(self.hours):
            return self.hours[hour]
        return [Visit(member, ()) for member in self._present(hour)]

    def vote(self, member: Member, answer: Answer) -> str:
        """What the person says of the answer: the same whenever and by whomever they are asked."""
        if are_mates(member, answer.author):
            return "approve"
        return self._judge(member, answer.number, answer.is_wrong, answer.is_subtle)

    def vote_on_gold(self, member: Member, nth: int) -> tuple[str, bool]:
        """What the person says of the nth gold answer that they meet, and whether that answer is right."""
        is_wrong = self.draw(1, member.number, nth) < WRONG_GOLD
        return self._judge(member, -1 - nth, is_wrong, False), not is_wrong

    def draw(self, use: int, one: int, other: int) -> float:
        """A number from 0 to 1 that looks random, and follows from the seed and the arguments (mixed as splitmix64)."""
        mixed = (self.seed * 8 + use + 1) * 0x9E3779B97F4A7C15 + one * 0xD1B54A32D192ED03 + other * 0xABC98388FB8FAC03
        mixed &= _64_BITS
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _64_BITS
        return (mixed ^ (mixed >> 31)) / 2**64

    def _judge(self, member: Member, number: int, is_wrong: bool, is_subtle: bool) -> str:
        manner = member.manner
        turned_down = (
            manner.refuses_right if not is_wrong else manner.catches_subtle if is_subtle else manner.catches_plain
        )
        # One draw, cut into unsure, fix, reject and approve in this order.
        draw = (self.draw(2, member.number, number) - manner.unsure) / (1 - manner.unsure)
        if draw < 0:
            return "unsure"
        if draw >= turned_down:
            return "approve"
        return "fix" if draw < turned_down * manner.corrects else "reject"

    def _meet(self, malicious: int, colluder: str) -> list[Member]:
        spammers = malicious // 2
        kinds = ["careful"] * (PEOPLE - CARELESS_PEOPLE - malicious) + ["careless"] * CARELESS_PEOPLE
        members = [Member(number, kind, self._vary(MANNERS[kind])) for number, kind in enumerate(kinds)]
        members += [Member(len(members) + nth, "spammer", MANNERS["spammer"]) for nth in range(spammers)]
        for nth in range(malicious - spammers):
            members.append(Member(len(members), colluder, self._vary(MANNERS[colluder]), nth // RING))
        return members

    def _vary(self, manner: Manner) -> Manner:
        def near(share: float) -> float:
            return min(1.0, max(0.0, self._random.gauss(share, manner.spread)))

        return replace(
            manner,
            wrong=near(manner.wrong),
            refuses_right=near(manner.refuses_right),
            catches_plain=near(manner.catches_plain),
            catches_subtle=near(manner.catches_subtle),
        )

    def _present(self, hour: int) -> list[Member]:
        there = [member for member in self.members if self.draw(3, hour, member.number) < PRESENT]
        return sorted(there, key=lambda member: self.draw(4, hour, member.number))

    def _write(self, member: Member, answers: int) -> Visit:
        first = len(self.answers)
        for number in range(first, min(first + self.answers_an_hour, answers)):
            is_wrong = self._random.random() < member.manner.wrong
            self.answers.append(Answer(number, member, is_wrong, is_wrong and self._random.random() < SUBTLE))
        return Visit(member, tuple(self.answers[first:]))


def are_mates(one: Member, other: Member) -> bool:
    """Whether the two are in one ring."""
    return one.ring is not None and one.ring == other.ring
