"""PURE: when a community's vote has decided, and why. Rules, seats and ballots in; an outcome with its reasons out.

It knows no database: whoever calls it says who could vote when the vote opened, what was cast, who is in a conflict of
interest and who votes for whom. Shares are exact fractions, so that two thirds are two thirds.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Any

FEWEST_ELECTORS = 3
LONGEST_DELEGATION_MONTHS = 12
LONGEST_GRANT_MONTHS = 24
STEWARD, ELDER = "steward", "elder"
# Three electors are needed for anything but these, and these uses need more votes than others.
LIGHT_PURPOSES = frozenset({"display_members", "display_public", "peer_review"})
RISKY_PURPOSES = frozenset(
    {"train_noncommercial", "train_commercial", "release_dataset", "release_adapter", "process_outside_country"}
)


class Because:
    """A reason in words: a %-template that is written out where it is made, and the values that fill it."""

    def __init__(self, message: str, **values: object) -> None:
        self.message, self.values = message, values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Because) and (self.message, self.values) == (other.message, other.values)

    __hash__ = None  # type: ignore[assignment]

    def as_json(self) -> list[Any]:
        """As it is stored beside a decision."""
        return [self.message, self.values]


class BadRules(ValueError):
    """A rule that cannot be; `because` says why, and `setting` names the part."""

    def __init__(self, setting: str, because: Because) -> None:
        super().__init__(because.message)
        self.setting, self.because = setting, because


class Kind(StrEnum):
    """How a community decides. All four are its own choice."""

    SINGLE = "single"
    QUORUM = "quorum"
    CONSENSUS = "consensus"
    ELDER_VETO = "elder_veto"


class Choice(StrEnum):
    """What a seat says."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"


class Result(StrEnum):
    """What a vote came to."""

    PASSED = "passed"
    REJECTED = "rejected"
    NO_QUORUM = "no_quorum"


@dataclass(frozen=True)
class RuleSet:
    """A community's rule for one type of proposal. A tie is always a rejection.

    `quorum` is the share of electors who must cast a vote, abstaining included; `threshold` the share of votes for
    among those for and against. Above one half it must be reached; one half must be passed, since a tie rejects.
    """

    kind: Kind = Kind.QUORUM
    quorum: Fraction = Fraction(1, 2)
    threshold: Fraction = Fraction(1, 2)
    risky_quorum: Fraction = Fraction(3, 5)
    risky_threshold: Fraction = Fraction(2, 3)
    min_days: int = 3
    max_days: int = 14
    cooling_off_hours: int = 72
    voters: tuple[str, ...] = (STEWARD, ELDER)
    veto_roles: tuple[str, ...] = ()
    grant_max_months: int = 12

    def __post_init__(self) -> None:
        for name in ("quorum", "threshold", "risky_quorum", "risky_threshold"):
            if not 0 < getattr(self, name) <= 1:
                raise BadRules(name, Because("This share is above 0 and at most 1."))
        if not 0 <= self.min_days <= self.max_days <= 90 or self.max_days < 1:
            raise BadRules(
                "min_days", Because("The shortest time of a vote is not above its longest, and that is 1 to 90 days.")
            )
        if not 0 <= self.cooling_off_hours <= 24 * 30:
            raise BadRules("cooling_off_hours", Because("The time for appeals is at most 30 days."))
        if not 1 <= self.grant_max_months <= LONGEST_GRANT_MONTHS:
            raise BadRules("grant_max_months", Because("A decision holds for 1 to 24 months."))
        if not self.voters or set(self.voters) - {STEWARD, ELDER}:
            raise BadRules("voters", Because("Stewards vote, or elders, or both."))

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> RuleSet:
        """The rule as it was stored or typed. Raises BadRules."""
        fields = dict(given)
        if unknown := set(fields) - set(cls.__dataclass_fields__):
            raise BadRules(min(unknown), Because("There is no such setting."))
        try:
            if "kind" in fields:
                fields["kind"] = Kind(fields["kind"])
            for name in ("quorum", "threshold", "risky_quorum", "risky_threshold"):
                if name in fields:
                    fields[name] = Fraction(str(fields[name]))
            for name in ("min_days", "max_days", "cooling_off_hours", "grant_max_months"):
                if name in fields:
                    fields[name] = int(fields[name])
            for name in ("voters", "veto_roles"):
                if name in fields:
                    fields[name] = tuple(sorted(str(role) for role in fields[name]))
        except (ValueError, TypeError, ZeroDivisionError) as error:
            raise BadRules("kind", Because("This rule cannot be read.")) from error
        return cls(**fields)

    def as_mapping(self) -> dict[str, Any]:
        """The rule as JSON: fractions as 2/3, roles as lists."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}

    def shares(self, *, is_risky: bool) -> tuple[Fraction, Fraction]:
        """(quorum, threshold) for a use of this risk."""
        return (self.risky_quorum, self.risky_threshold) if is_risky else (self.quorum, self.threshold)

    def explained(self) -> list[Because]:
        """The rule in sentences, in the order in which a vote meets them."""
        if self.kind == Kind.SINGLE:
            return [
                Because("Any one steward decides alone, and at once."),
                Because("A decision ends after %(months)s months at most.", months=self.grant_max_months),
            ]
        who = Because("Stewards and elders vote.") if len(self.voters) > 1 else Because("Only stewards vote.")
        if self.voters == (ELDER,):
            who = Because("Only elders vote.")
        said = [
            who,
            Because("A vote is open for %(least)s to %(most)s days.", least=self.min_days, most=self.max_days),
            Because("%(share)s%% of those who may vote must take part.", share=ceil(self.quorum * 100)),
            Because(
                "For training, releases and work abroad, %(share)s%% of those who may vote must take part.",
                share=ceil(self.risky_quorum * 100),
            ),
        ]
        if self.kind == Kind.CONSENSUS:
            said.append(Because("It passes when somebody is for it and nobody is against it."))
        else:
            said += [_passing(self.threshold), _passing_of_risky(self.risky_threshold)]
        if self.kind == Kind.ELDER_VETO:
            said.append(Because("One elder who is against it stops it."))
        return [
            *said,
            Because(
                "A decision holds %(hours)s hours after the vote; until then a steward may appeal, once.",
                hours=self.cooling_off_hours,
            ),
            Because("A decision ends after %(months)s months at most.", months=self.grant_max_months),
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, Fraction | StrEnum):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _passing(threshold: Fraction) -> Because:
    if threshold <= Fraction(1, 2):
        return Because("It passes with more votes for than against; a tie rejects it.")
    return Because("It passes when %(share)s of the votes for and against are for it.", share=str(threshold))


def _passing_of_risky(threshold: Fraction) -> Because:
    if threshold <= Fraction(1, 2):
        return Because("For training, releases and work abroad, more votes for than against are enough.")
    return Because(
        "For training, releases and work abroad, %(share)s of the votes for and against must be for it.",
        share=str(threshold),
    )


# What a community may choose with one press; each may be changed setting by setting.
PRESETS: dict[Kind, RuleSet] = {
    Kind.SINGLE: RuleSet(
        kind=Kind.SINGLE, min_days=0, cooling_off_hours=0, voters=(STEWARD,), grant_max_months=LONGEST_GRANT_MONTHS
    ),
    Kind.QUORUM: RuleSet(voters=(ELDER, STEWARD)),
    Kind.CONSENSUS: RuleSet(kind=Kind.CONSENSUS, voters=(ELDER, STEWARD)),
    Kind.ELDER_VETO: RuleSet(kind=Kind.ELDER_VETO, voters=(ELDER, STEWARD), veto_roles=(ELDER,)),
}


@dataclass(frozen=True)
class Seat:
    """One elector as they were when the vote opened."""

    person: int
    roles: frozenset[str]


@dataclass(frozen=True)
class Proxy:
    """`giver` lets `receiver` cast their vote from `since` until before `until`, unless it was taken back earlier.

    It covers the giver's own seat and no other: what somebody was given cannot be given on.
    """

    giver: int
    receiver: int
    since: datetime
    until: datetime
    revoked_at: datetime | None = None

    def covers(self, seat: int, by: int, at: datetime) -> bool:
        """Whether `by` may cast the vote of `seat` at that moment."""
        ends = self.until if self.revoked_at is None else min(self.until, self.revoked_at)
        return (self.giver, self.receiver) == (seat, by) and self.since <= at < ends


@dataclass(frozen=True)
class Ballot:
    """What was cast for a seat, by whom, and when; a later one of the same seat replaces it."""

    seat: int
    by: int
    choice: Choice
    at: datetime


@dataclass(frozen=True)
class Election:
    """Everything that a count needs. `barred` never count: upheld conflicts of interest, and who asks for the use."""

    rule: RuleSet
    seats: Sequence[Seat]
    ballots: Sequence[Ballot] = ()
    proxies: Sequence[Proxy] = ()
    barred: Collection[int] = ()
    configured_by: int | None = None
    is_risky: bool = False
    is_light: bool = False


@dataclass(frozen=True)
class Outcome:
    """What the votes amount to now: how many could vote and how they did, why, and what is missing to pass."""

    result: Result
    electors: int
    votes_for: int
    against: int
    abstained: int
    reason: Because
    missing: tuple[Because, ...] = ()

    @property
    def tally(self) -> dict[str, int]:
        """The numbers, as they are stored."""
        return {
            "electors": self.electors,
            "for": self.votes_for,
            "against": self.against,
            "abstain": self.abstained,
            "cast": self.votes_for + self.against + self.abstained,
        }


def accepted(election: Election) -> dict[int, Ballot]:
    """The ballot that counts for each seat: the latest that its holder, or somebody they had asked, cast.

    A barred seat has none, and nobody who is barred casts for others.
    """
    seats = {seat.person for seat in election.seats} - set(election.barred)
    latest: dict[int, Ballot] = {}
    for ballot in sorted(election.ballots, key=lambda ballot: ballot.at):
        if ballot.seat in seats and ballot.by not in election.barred and may_cast(election.proxies, ballot):
            latest[ballot.seat] = ballot
    return latest


def may_cast(proxies: Sequence[Proxy], ballot: Ballot) -> bool:
    """Whether the ballot was cast by the seat's holder, or under a delegation that was live then."""
    return ballot.by == ballot.seat or any(proxy.covers(ballot.seat, ballot.by, ballot.at) for proxy in proxies)


def count(election: Election) -> Outcome:
    """Count the votes as if the vote closed now."""
    seats = {seat.person: seat.roles for seat in election.seats if seat.person not in set(election.barred)}
    ballots = accepted(election)
    chosen = [ballot.choice for ballot in ballots.values()]
    votes_for, against = chosen.count(Choice.FOR), chosen.count(Choice.AGAINST)
    result, reason, missing = _judged(election, seats, ballots, votes_for, against)
    return Outcome(
        result=result,
        electors=len(seats),
        votes_for=votes_for,
        against=against,
        abstained=chosen.count(Choice.ABSTAIN),
        reason=reason,
        missing=missing,
    )


_Judged = tuple[Result, Because, tuple[Because, ...]]


def _judged(
    election: Election,
    seats: Mapping[int, frozenset[str]],
    ballots: Mapping[int, Ballot],
    votes_for: int,
    against: int,
) -> _Judged:
    rule = election.rule
    quorum, threshold = rule.shares(is_risky=election.is_risky)
    if rule.kind == Kind.SINGLE:
        needed, threshold = 1, Fraction(1, 2)
    else:
        needed = max(1, ceil(quorum * len(seats)))
        if len(seats) < FEWEST_ELECTORS and not election.is_light:
            few = Because(
                "%(seats)s may vote on this, and at least %(needed)s people must be able to.",
                seats=len(seats),
                needed=FEWEST_ELECTORS,
            )
            return Result.NO_QUORUM, few, (few,)
    if len(ballots) < needed:
        low = Because("Votes cast: %(cast)s of the %(needed)s that are needed.", cast=len(ballots), needed=needed)
        more = Because("Votes that are still needed: %(votes)s.", votes=needed - len(ballots))
        return Result.NO_QUORUM, low, (more,)
    if rejected := _objection(rule, seats, ballots, against):
        return Result.REJECTED, rejected, (rejected,)
    if votes_for <= against or votes_for < threshold * (votes_for + against):
        return _too_few_for(votes_for, against, threshold)
    if election.configured_by is not None and not any(
        ballot.choice == Choice.FOR and election.configured_by not in (ballot.seat, ballot.by)
        for ballot in ballots.values()
    ):
        alone = Because("Whoever set this up must not be the only one who is for it.")
        return Result.REJECTED, alone, (alone,)
    return Result.PASSED, Because("It has the votes that the rules ask for."), ()


def _objection(
    rule: RuleSet, seats: Mapping[int, frozenset[str]], ballots: Mapping[int, Ballot], against: int
) -> Because | None:
    """What no majority outweighs."""
    if rule.kind == Kind.CONSENSUS and against:
        return Because("Somebody is against it, and the community decides by consensus.")
    if rule.kind == Kind.ELDER_VETO:
        elders = {person for person, roles in seats.items() if roles & set(rule.veto_roles or (ELDER,))}
        if any(ballot.choice == Choice.AGAINST and seat in elders for seat, ballot in ballots.items()):
            return Because("An elder is against it.")
    return None


def _too_few_for(votes_for: int, against: int, threshold: Fraction) -> _Judged:
    if votes_for == against:
        reason = Because("As many are for it as against it, and a tie rejects it.")
    else:
        reason = Because("Votes for it: %(yes)s; against it: %(no)s. That is not enough.", yes=votes_for, no=against)
    if threshold == 1 and against:
        return Result.REJECTED, reason, (Because("Nobody may be against it."),)
    wanted = against + 1 if threshold == 1 else max(against + 1, ceil(threshold / (1 - threshold) * against))
    more = Because("Votes for it that are still needed: %(votes)s.", votes=wanted - votes_for)
    return Result.REJECTED, reason, (more,)


def may_be_put_to_vote(rule: RuleSet, seats: int, *, is_light: bool) -> bool:
    """Whether so few people may decide it: below three only what is shown and rated, unless one alone may decide."""
    return rule.kind == Kind.SINGLE or is_light or seats >= FEWEST_ELECTORS


def months_after(start: datetime, months: int) -> datetime:
    """The same day so many months later; the last of the month where there is no such day."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    return start.replace(year=year, month=month, day=min(start.day, monthrange(year, month)[1]))


def takes_effect(rule: RuleSet, decided_at: datetime) -> datetime:
    """When a passed proposal begins to hold."""
    return decided_at + timedelta(hours=rule.cooling_off_hours)
