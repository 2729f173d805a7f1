"""Random elections, counted by `care.quorum` and by an oracle that is written otherwise: they must never differ.

Three to fifty seats, changed votes, abstentions, ties, conflicts of interest, delegations that end too early, and
people who set up what they vote on. The tests count ten thousand of them.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from rich.table import Table

from care.quorum import PRESETS, Ballot, Choice, Election, Kind, Proxy, RuleSet, Seat, count

NEEDS_SITE = False
NIGHTLY = 100_000
OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def oracle(election: Election) -> str:
    """The result by the words of the rules: seat by seat, in whole numbers, from the last ballot backwards."""
    said: dict[int, tuple[str, int]] = {}
    able = [seat for seat in election.seats if seat.person not in election.barred]
    for seat in able:
        for ballot in sorted(election.ballots, key=lambda one: one.at, reverse=True):
            if ballot.seat != seat.person or ballot.by in election.barred:
                continue
            stands_in = False
            for proxy in election.proxies:
                if proxy.giver == seat.person and proxy.receiver == ballot.by and ballot.at >= proxy.since:
                    gone = proxy.revoked_at is not None and proxy.revoked_at <= ballot.at
                    stands_in = stands_in or (ballot.at < proxy.until and not gone)
            if ballot.by == seat.person or stands_in:
                said[seat.person] = (str(ballot.choice), ballot.by)
                break
    yes = sum(1 for word, _by in said.values() if word == "for")
    no = sum(1 for word, _by in said.values() if word == "against")
    rule, kind = election.rule, str(election.rule.kind)
    share = rule.risky_quorum if election.is_risky else rule.quorum
    most = rule.risky_threshold if election.is_risky else rule.threshold
    if not said or (kind != "single" and len(said) * share.denominator < share.numerator * len(able)):
        return "no_quorum"
    if kind != "single" and len(able) <= 2 and not election.is_light:
        return "no_quorum"
    if kind == "consensus" and no > 0:
        return "rejected"
    if kind == "elder_veto" and ["x" for s in able if "elder" in s.roles and said.get(s.person, "-")[0] == "against"]:
        return "rejected"
    enough = kind == "single" or yes * most.denominator >= most.numerator * (yes + no)
    others = [1 for s, (word, by) in said.items() if word == "for" and election.configured_by not in {s, by}]
    return "passed" if yes > no and enough and (others or election.configured_by is None) else "rejected"


def random_election(rng: random.Random) -> Election:
    """Any election that could be."""
    people = rng.randint(3, 50) if rng.random() < 0.7 else rng.randint(3, 6)
    kind = rng.choice([Kind.QUORUM, Kind.QUORUM, Kind.QUORUM, Kind.CONSENSUS, Kind.ELDER_VETO, Kind.SINGLE])
    fields: dict[str, Any] = PRESETS[kind].as_mapping()
    if rng.random() < 0.5:
        shares = [Fraction(rng.randint(1, bottom), bottom) for bottom in (2, 3, 5, 7)]
        names = ("quorum", "threshold", "risky_quorum", "risky_threshold")
        fields.update({name: str(rng.choice(shares)) for name in names})
    seats = [Seat(one, frozenset({"elder" if rng.random() < 0.15 else "steward"})) for one in range(people)]
    lean, turnout = rng.random(), rng.random() ** 0.5
    proxies = [_proxy(rng, people) for _ in range(rng.randint(0, 4) if rng.random() < 0.5 else 0)]
    configured_by = rng.randrange(people) if rng.random() < 0.3 else None
    ballots = _ballots(rng, people, turnout, lean, proxies)
    if configured_by is not None and rng.random() < 0.2:
        ballots = _lonely(people, configured_by)
    return Election(
        rule=RuleSet.from_mapping(fields),
        seats=seats,
        ballots=ballots,
        proxies=proxies,
        barred=tuple(one for one in range(people) if rng.random() < 0.05) if rng.random() < 0.5 else (),
        configured_by=configured_by,
        is_risky=rng.random() < 0.5,
        is_light=rng.random() < 0.2,
    )


def _lonely(people: int, approver: int) -> list[Ballot]:
    """Everybody abstains but one, who set it up."""
    choices = [Choice.FOR if one == approver else Choice.ABSTAIN for one in range(people)]
    return [Ballot(one, one, choice, OPENED + timedelta(minutes=one)) for one, choice in enumerate(choices)]


def _proxy(rng: random.Random, people: int) -> Proxy:
    since = OPENED + timedelta(hours=rng.randint(-200, 100))
    ended = since + timedelta(hours=rng.randint(1, 200)) if rng.random() < 0.3 else None
    until = since + timedelta(hours=rng.randint(1, 400))
    return Proxy(rng.randrange(people), rng.randrange(people), since, until, ended)


def _ballots(rng: random.Random, people: int, turnout: float, lean: float, proxies: list[Proxy]) -> list[Ballot]:
    """Cast at moments of their own: own votes, changed ones, votes for others, and some by people who may not."""
    cast: list[tuple[int, int]] = [(one, one) for one in range(people) if rng.random() < turnout]
    cast += [(one, one) for one, _ in cast if rng.random() < 0.2]
    cast += [(proxy.giver, proxy.receiver) for proxy in proxies]
    cast += [(rng.randrange(people), rng.randrange(people + 3)) for _ in range(rng.randint(0, 2))]
    moments = rng.sample(range(60 * 24 * 14), len(cast))
    ballots = []
    for (seat, by), minute in zip(cast, moments, strict=True):
        even = rng.random() < 0.1
        choice = rng.choice(list(Choice)) if even else (Choice.FOR if rng.random() < lean else Choice.AGAINST)
        ballots.append(Ballot(seat, by, choice, OPENED + timedelta(minutes=minute)))
    return ballots


def compare(elections: int, seed: int) -> dict[str, Any]:
    """Count so many elections both ways."""
    rng = random.Random(seed)  # noqa: S311 made-up elections, no secrets
    results: Counter[str] = Counter()
    facts = dict.fromkeys(("mismatches", "risky opened below quorum", "with conflicts", "with delegations"), 0)
    for _ in range(elections):
        election = random_election(rng)
        outcome = count(election)
        results[outcome.result] += 1
        facts["mismatches"] += outcome.result != oracle(election)
        low = outcome.tally["cast"] < election.rule.risky_quorum * outcome.electors
        voted_on = election.rule.kind != Kind.SINGLE
        facts["risky opened below quorum"] += election.is_risky and voted_on and low and outcome.result == "passed"
        facts["with conflicts"] += bool(election.barred)
        facts["with delegations"] += bool(election.proxies)
    failures = [
        f"{facts[name]} elections: {name}." for name in ("mismatches", "risky opened below quorum") if facts[name]
    ]
    return {"elections": elections, "seed": seed, **facts, "results": dict(results), "failures": failures}


def run() -> dict[str, Any]:
    """A hundred thousand elections."""
    return compare(NIGHTLY, seed=2026)


def table(facts: dict[str, Any]) -> Table:
    """The counts."""
    shown = Table("elections", "mismatches", "risky uses opened below the quorum", "results")
    results = ", ".join(f"{name} {number}" for name, number in facts["results"].items())
    shown.add_row(str(facts["elections"]), str(facts["mismatches"]), str(facts["risky opened below quorum"]), results)
    return shown
