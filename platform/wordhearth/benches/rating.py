"""`script/bench rating`: how many wrong answers pass and how many right ones fail, by our rule and by plain 2-of-3.

Made-up crowds of a hundred people, of whom some approve everything or collude. Both rules meet the same people, the
same answers and the same votes. `docs/rating.md` says what is assumed and what this does not show.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import product
from statistics import fmean, stdev
from typing import Any

from rich import box
from rich.table import Table

from annotation.aggregation import crowd as people
from annotation.aggregation.crowd import Crowd
from annotation.aggregation.skill import beta_quantile
from annotation.aggregation.trial import EXPERT_ACCURACY, HOURS_BETWEEN_CHECKS, Trial
from annotation.aggregation.verdicts import THREE_OF_FIVE

NEEDS_SITE = False

SEEDS = 20
USUAL = "10 malicious"
CROWDS: dict[str, dict[str, Any]] = {
    "nobody malicious": {"malicious": 0},
    "5 malicious": {"malicious": 5},
    USUAL: {"malicious": 10},
    "20 malicious": {"malicious": 20},
    "30 malicious": {"malicious": 30},
    "10, colluders sly": {"malicious": 10, "is_sly": True},
    "10, few to vote": {"malicious": 10, "answers_an_hour": 2 * people.ANSWERS_AN_HOUR},
}
MEASURES = ("wrong_validated", "right_rejected", "votes_per_item", "expert_share")
COMPARED = MEASURES[:3]

Facts = dict[str, Any]


def run() -> Facts:
    """Try both rules on every crowd with every seed, and sum up over the seeds."""
    jobs = list(product(CROWDS, range(SEEDS)))
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = list(pool.map(try_rules, *zip(*jobs, strict=True), chunksize=2))
    crowds = {
        name: summarise([trials for (crowd, _), trials in zip(jobs, tried, strict=True) if crowd == name])
        for name in CROWDS
    }
    usual = crowds[USUAL]
    facts: Facts = {name: usual["ours"][name]["mean"] for name in MEASURES}
    facts |= {f"plain_{name}": usual["plain"][name]["mean"] for name in COMPARED}
    facts["intervals"] = {name: usual["ours"][name]["interval"] for name in MEASURES}
    facts["intervals"] |= {f"plain_{name}": usual["plain"][name]["interval"] for name in COMPARED}
    return {**facts, "seeds": SEEDS, "crowds": crowds, "assumptions": assumptions()}


def try_rules(name: str, seed: int) -> dict[str, dict[str, float]]:
    """One crowd under our rule and under plain ones; the usual crowd also under plain ones with more votes."""
    crowd = Crowd(seed=seed, **CROWDS[name])
    trials = {
        "ours": asdict(Trial(crowd).run()),
        "plain": asdict(Trial(crowd, is_guarded=False).run()),
    }
    if name == USUAL:
        five = asdict(Trial(crowd, rule=THREE_OF_FIVE, is_guarded=False).run())
        trials["plain 3 of 5"] = five
        trials["plain, as many votes"] = _mix(trials["plain"], five, trials["ours"]["votes_per_item"])
    trials["difference"] = {measure: trials["ours"][measure] - trials["plain"][measure] for measure in COMPARED}
    return trials


def _mix(three: dict[str, float], five: dict[str, float], votes: float) -> dict[str, float]:
    """What plain rules reach with so many votes: 3 of 5 for as many answers as those pay for, 2 of 3 for the rest."""
    share = (votes - three["votes_per_item"]) / (five["votes_per_item"] - three["votes_per_item"])
    return {measure: (1 - share) * three[measure] + share * five[measure] for measure in three}


def summarise(trials: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, Facts]]:
    """Mean and 95 % interval over the seeds, for each rule and measure."""
    return {
        rule: {measure: mean_and_interval([trial[rule][measure] for trial in trials]) for measure in trials[0][rule]}
        for rule in trials[0]
    }


def mean_and_interval(values: Sequence[float]) -> Facts:
    """The mean, and Student's 95 % interval for it."""
    mean, free = fmean(values), len(values) - 1
    # If t has Student's distribution with f degrees of freedom, t² / (f + t²) has the Beta(1/2, f/2) one.
    share = beta_quantile(0.95, 0.5, free / 2)
    half = math.sqrt(free * share / (1 - share)) * stdev(values) / math.sqrt(len(values))
    return {"mean": mean, "interval": [mean - half, mean + half]}


def assumptions() -> list[str]:
    """What the crowds are made of, one line each."""

    def shares(kind: str) -> str:
        manner = people.MANNERS[kind]
        return (
            f"{manner.wrong:.0%} of their answers wrong; they turn down {manner.refuses_right:.0%} of right answers, "
            f"{manner.catches_plain:.0%} of plain faults, {manner.catches_subtle:.0%} of subtle ones; "
            f"unsure {manner.unsure:.0%}; {manner.votes_an_hour} votes in an hour"
        )

    return [
        f"{people.PEOPLE} people, {people.ANSWERS} answers; each person is there in {people.PRESENT:.0%} of the hours, "
        f"writes {people.ANSWERS_AN_HOUR} answers in one and gives {people.VOTES_AN_HOUR} votes at most "
        f"(few to vote: {2 * people.ANSWERS_AN_HOUR} answers).",
        f"{people.SUBTLE:.0%} of the wrong answers have a subtle fault.",
        f"Careful, all who are not named below: {shares('careful')}.",
        f"Careless, {people.CARELESS_PEOPLE}: {shares('careless')}.",
        f"Spammers, half of the malicious: {people.MANNERS['spammer'].wrong:.0%} wrong; they approve everything and "
        f"would give {people.MANNERS['spammer'].votes_an_hour} votes in an hour.",
        f"Colluders, the other half, in rings of {people.RING}: {people.MANNERS['colluder'].wrong:.0%} wrong; they "
        "skip to their mates' answers and approve them, and reject everybody else's.",
        "Sly colluders judge strangers' answers, and so gold, as careful people do.",
        f"An expert is right in {EXPERT_ACCURACY:.0%}. Of the gold answers {people.WRONG_GOLD:.0%} are wrong, plainly.",
        f"Ours looks for collusion every {HOURS_BETWEEN_CHECKS} hours; its votes on gold and those that no longer "
        "count are counted as votes.",
        "Plain stops when two agree; corrections are rejections, unsure ones are asked but not counted.",
    ]


def table(facts: Facts) -> Table:
    """The same for people: mean ± half of the 95 % interval."""
    shown = Table(
        title=f"Means over {facts['seeds']} seeds with 95 % intervals; shares in %",
        title_justify="left",
        caption="\n".join(facts["assumptions"]),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    shown.add_column("crowd, rule")
    for name in ("wrong\nvalidated", "right\nrejected", "votes\nper item", "to an\nexpert"):
        shown.add_column(name, justify="right")
    for crowd, rules in facts["crowds"].items():
        shown.add_row(f"[bold]{crowd}[/]")
        for rule, measured in rules.items():
            cells = (_cell(name, measured[name]) for name in MEASURES if name in measured)
            shown.add_row(f"  {rule}", *cells)
    return shown


def _cell(name: str, measured: Facts) -> str:
    low, high = measured["interval"]
    times = 1 if name == "votes_per_item" else 100
    return f"{times * measured['mean']:.2f} ±{times * (high - low) / 2:.2f}"
