"""A made-up crowd under a rule, hour by hour: how many wrong answers pass, and how many right ones fail.

Guarded is the rule with all of `skill` and `collusion`: gold answers, first votes only from those who have not shown
care yet, no votes of those who have shown carelessness, none between the two of a suspicious pair. The rule alone has
none of these. In both an expert decides what peers leave open. Plain is the majority of the same people's votes: a
correction is a rejection, and who is unsure is not counted. In all three, started answers come first, nobody votes on
their own or twice, and the limit by the hour holds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import Enum

from annotation.aggregation.collusion import Vote, find_collusion
from annotation.aggregation.crowd import VOTES_AN_HOUR, Answer, Crowd, Member, are_mates
from annotation.aggregation.skill import (
    OUTCOME_WEIGHT,
    Tally,
    estimate_skill,
    gold_chance,
    hours_before_settling,
    is_careful,
    is_careless,
)
from annotation.aggregation.verdicts import FIRST_TO_TWO, Outcome, Rule, settle

EXPERT_ACCURACY = 0.97
HOURS_BETWEEN_CHECKS = 24
LAST_HOUR = 2000
AS_PLAIN = {"approve": "approve", "reject": "reject", "fix": "reject", "unsure": "skip"}


class Mode(Enum):
    """How votes are heard."""

    GUARDED = "guarded"
    ALONE = "rule alone"
    PLAIN = "plain"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came out. Shares are of all wrong answers, all right ones, all answers, and all people of a sort."""

    wrong_validated: float
    right_rejected: float
    votes_per_item: float
    expert_share: float
    open_share: float
    subtle_share: float
    """Of the wrong answers that were validated, those whose fault is subtle."""
    median_hours: float
    careful_stopped: float
    careless_stopped: float
    malicious_stopped: float
    pairs: int


class Entry:
    """An answer under review."""

    __slots__ = ("answer", "is_by_expert", "outcome", "settled", "votes", "written")

    def __init__(self, answer: Answer, hour: int) -> None:
        self.answer = answer
        self.written = hour
        self.settled = hour
        self.votes: dict[int, str] = {}
        self.outcome = Outcome.OPEN
        self.is_by_expert = False


class Guard:
    """What is known of people: who has shown care, who is stopped, which pairs are kept apart."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.careful: set[int] = set()
        self.stopped: set[int] = set()
        self.apart: set[tuple[Hashable, Hashable]] = set()
        self._given: Counter[int] = Counter()
        self._gold_seen: Counter[int] = Counter()
        # Weighted votes by (person, approved, is right), on gold answers and on settled ones.
        self._tally: defaultdict[tuple[int, bool, bool], float] = defaultdict(float)

    def counts(self, reviewer: int, author: int) -> bool:
        """Whether a vote of the reviewer on the author's answer counts."""
        return reviewer not in self.stopped and (reviewer, author) not in self.apart

    def takes_gold(self, member: Member) -> bool:
        """Give the member a gold answer if it is time for one."""
        votes, seen = self._given[member.number], self._gold_seen[member.number]
        self._given[member.number] += 1
        chance = gold_chance(votes=votes, gold=seen, has_shown_care=member.number in self.careful)
        if self.crowd.draw(5, member.number, votes) >= chance:
            return False
        self._gold_seen[member.number] += 1
        vote, is_right = self.crowd.vote_on_gold(member, seen)
        if vote != "unsure":
            self._tally[member.number, vote == "approve", is_right] += 1
        return True

    def note(self, entry: Entry, *, times: int) -> None:
        """Hold the votes on a settled answer against its outcome; with times=-1 take that back."""
        if entry.outcome is not Outcome.OPEN:
            for reviewer, vote in entry.votes.items():
                if vote != "unsure":
                    is_right = entry.outcome is Outcome.VALIDATED
                    self._tally[reviewer, vote == "approve", is_right] += times * OUTCOME_WEIGHT

    def judge(self, person: int) -> bool:
        """Estimate the person's skill; whether that stops them."""
        if person in self.stopped:
            return False
        skill = estimate_skill(
            Tally(
                approved=self._tally[person, True, True],
                refused=self._tally[person, False, True],
                caught=self._tally[person, False, False],
                let_through=self._tally[person, True, False],
            )
        )
        if is_careful(skill):
            self.careful.add(person)
        else:
            self.careful.discard(person)
        if is_careless(skill):
            self.stopped.add(person)
        return person in self.stopped

    def separate(self, entries: Iterable[Entry]) -> set[tuple[Hashable, Hashable]]:
        """Look for collusion in all votes on settled answers; the pairs (reviewer, author) that are new."""
        pairs = find_collusion(
            Vote(entry.answer.author.number, reviewer, vote, entry.outcome.value)
            for entry in entries
            if entry.outcome is not Outcome.OPEN
            for reviewer, vote in entry.votes.items()
        )
        found = {(pair.first, pair.second) for pair in pairs} | {(pair.second, pair.first) for pair in pairs}
        new = found - self.apart
        self.apart |= new
        return new


class Trial:
    """One run of one crowd under one rule."""

    def __init__(self, crowd: Crowd, *, rule: Rule = FIRST_TO_TWO, mode: Mode = Mode.GUARDED) -> None:
        self.crowd = crowd
        self.rule = rule
        self.mode = mode
        self.guard = Guard(crowd) if mode is Mode.GUARDED else None
        self.entries: list[Entry] = []
        self.hour = 0
        self.votes = 0
        self.voted: defaultdict[int, list[Entry]] = defaultdict(list)
        # Waiting answers by the number of their votes, each in the order of writing.
        self.waiting: list[dict[int, Entry]] = [{} for _ in range(rule.most)]

    def run(self) -> Result:
        """Let everybody write and vote until all is settled and a last check changes nothing."""
        while self.hour < LAST_HOUR:
            for visit in self.crowd.visits(self.hour):
                self._review(visit.member)
                for answer in visit.wrote:
                    self.entries.append(entry := Entry(answer, self.hour))
                    self.waiting[0][answer.number] = entry
            self.hour += 1
            is_written = self.hour >= len(self.crowd.hours)
            if self.hour % HOURS_BETWEEN_CHECKS == 0 or (is_written and not any(self.waiting)):
                self._check()
                if is_written and not any(self.waiting):
                    break
        return self._result()

    def _check(self) -> None:
        """Judge everybody again and look for collusion, as once a day."""
        if self.guard is None:
            return
        for member in self.crowd.members:
            self._judge(member)
        apart = self.guard.separate(self.entries)
        for entry in self.entries if apart else ():
            if any((reviewer, entry.answer.author.number) in apart for reviewer in entry.votes):
                self._settle(entry)

    def _judge(self, member: Member) -> None:
        """Judge one person; if that stops them, settle what they have voted on without their votes."""
        if self.guard and self.guard.judge(member.number):
            for entry in self.voted[member.number]:
                self._settle(entry)

    def _review(self, member: Member) -> None:
        guard = self.guard
        if guard and member.number in guard.stopped:
            return
        wanted = min(member.manner.votes_an_hour, VOTES_AN_HOUR)
        for entry in self._offered(member, wanted):
            while guard and wanted and guard.takes_gold(member):
                self.votes += 1
                wanted -= 1
            if not wanted:
                break
            self.votes += 1
            wanted -= 1
            entry.votes[member.number] = self.crowd.vote(member, entry.answer)
            self.voted[member.number].append(entry)
            self._settle(entry)
        self._judge(member)

    def _offered(self, member: Member, wanted: int) -> list[Entry]:
        """What the member is given to vote on, in order; members of a ring skip until they meet their mates'."""
        offered: list[Entry] = []
        last_written = self.hour - self._patience(member)
        for queue in reversed(self.waiting):
            for entry in queue.values():
                if (entry.written <= last_written or not entry.votes) and self._may_vote(member, entry):
                    offered.append(entry)
                    if len(offered) == wanted and member.ring is None:
                        return offered
        if member.ring is not None:
            offered.sort(key=lambda entry: not are_mates(member, entry.answer.author))
        return offered[:wanted]

    def _patience(self, member: Member) -> int:
        if self.guard is None:
            return 0
        careful = self.guard.careful
        return hours_before_settling(has_shown_care=member.number in careful, careful_people=len(careful))

    def _may_vote(self, member: Member, entry: Entry) -> bool:
        author = entry.answer.author.number
        if member.number == author or member.number in entry.votes:
            return False
        return self.guard is None or self.guard.counts(member.number, author)

    def _settle(self, entry: Entry) -> None:
        if entry.is_by_expert:
            return
        if self.guard:
            self.guard.note(entry, times=-1)
        number, before = entry.answer.number, entry.outcome
        for queue in self.waiting:
            queue.pop(number, None)
        entry.outcome = settle(self._counted(entry), self.rule)
        if entry.outcome is Outcome.EXPERT:
            is_right = (self.crowd.draw(6, number, 0) < EXPERT_ACCURACY) != entry.answer.is_wrong
            entry.outcome, entry.is_by_expert = Outcome.VALIDATED if is_right else Outcome.REJECTED, True
        if entry.outcome is not before:
            entry.settled = self.hour
        if entry.outcome is Outcome.OPEN:
            self.waiting[min(len(entry.votes), len(self.waiting) - 1)][number] = entry
        elif self.guard:
            self.guard.note(entry, times=1)

    def _counted(self, entry: Entry) -> list[str]:
        if self.mode is Mode.PLAIN:
            return [AS_PLAIN[vote] for vote in entry.votes.values()]
        author, guard = entry.answer.author.number, self.guard
        return [vote for reviewer, vote in entry.votes.items() if guard is None or guard.counts(reviewer, author)]

    def _result(self) -> Result:
        entries = self.entries
        waited = sorted(entry.settled - entry.written for entry in entries)
        stopped = self.guard.stopped if self.guard else set()

        def share(chosen: Iterable[bool]) -> float:
            found = list(chosen)
            return sum(found) / len(found) if found else 0.0

        def stopped_of(*kinds: str) -> float:
            return share(member.number in stopped for member in self.crowd.members if member.kind in kinds)

        return Result(
            wrong_validated=share(entry.outcome is Outcome.VALIDATED for entry in entries if entry.answer.is_wrong),
            right_rejected=share(entry.outcome is Outcome.REJECTED for entry in entries if not entry.answer.is_wrong),
            votes_per_item=self.votes / max(1, len(entries)),
            expert_share=share(entry.is_by_expert for entry in entries),
            subtle_share=share(
                entry.answer.is_subtle
                for entry in entries
                if entry.answer.is_wrong and entry.outcome is Outcome.VALIDATED
            ),
            open_share=share(entry.outcome is Outcome.OPEN for entry in entries),
            median_hours=waited[len(waited) // 2] if waited else 0,
            careful_stopped=stopped_of("careful"),
            careless_stopped=stopped_of("careless"),
            malicious_stopped=stopped_of("spammer", "colluder", "sly"),
            pairs=len(self.guard.apart) // 2 if self.guard else 0,
        )
