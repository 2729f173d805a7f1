"""`script/bench rating`: how many wrong answers pass and how many right ones fail, by our rule and by plain 2-of-3.

Made-up crowds of a hundred people, of whom some approve everything or collude. All rules meet the same people, the
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
from annotation.aggregation.trial import EXPERT_ACCURACY, HOURS_BETWEEN_CHECKS, Mode, Trial
from annotation.aggregation.verdicts import THREE_OF_FIVE

NEEDS_SITE = False

# Other seeds than those on which the settings of `annotation.aggregation.skill` were chosen.
SEEDS = range(1000, 1020)
USUAL = "10 malicious"
CROWDS: dict[str, dict[str, Any]] = {
    "none malicious": {"malicious": 0},
    "5 malicious": {"malicious": 5},
    USUAL: {"malicious": 10},
    "20 malicious": {"malicious": 20},
    "30 malicious": {"malicious": 30},
    "10, sly rings": {"malicious": 10, "is_sly": True},
    "10, few voters": {"malicious": 10, "answers_an_hour": 2 * people.ANSWERS_AN_HOUR},
}
MEASURES = ("wrong_validated", "right_rejected", "votes_per_item", "expert_share")
COMPARED = MEASURES[:3]
# What the facts call each way of hearing votes on the usual crowd: the guarded rule is ours and needs no prefix.
PREFIXES = {Mode.GUARDED.value: "", Mode.ALONE.value: "alone_", Mode.PLAIN.value: "plain_"}
HEADINGS = (
    "wrong\nvalidated",
    "right\nrejected",
    "votes\nper item",
    "to an\nexpert",
    "median\nhours",
    "stopped\nc./m.",
)

Facts = dict[str, Any]


def run() -> Facts:
    """Try the rules on every crowd with every seed, and sum up over the seeds."""
    jobs = list(product(CROWDS, SEEDS))
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = list(pool.map(try_rules, *zip(*jobs, strict=True), chunksize=2))
    crowds = {
        name: summarise([trials for (crowd, _), trials in zip(jobs, tried, strict=True) if crowd == name])
        for name in CROWDS
    }
    measured = {
        f"{prefix}{name}": crowds[USUAL][rule][name]
        for rule, prefix in PREFIXES.items()
        for name in (MEASURES if rule != Mode.PLAIN.value else COMPARED)
    }
    return {
        **{name: figure["mean"] for name, figure in measured.items()},
        "intervals": {name: figure["interval"] for name, figure in measured.items()},
        "seeds": len(SEEDS),
        "crowds": crowds,
        "assumptions": assumptions(),
    }


def try_rules(name: str, seed: int) -> dict[str, dict[str, float]]:
    """One crowd under the guarded rule and the plain one; the usual crowd also unguarded, and with more plain votes."""
    crowd = Crowd(seed=seed, **CROWDS[name])
    modes = Mode if name == USUAL else (Mode.GUARDED, Mode.PLAIN)
    trials = {mode.value: asdict(Trial(crowd, mode=mode).run()) for mode in modes}
    guarded, plain = trials[Mode.GUARDED.value], trials[Mode.PLAIN.value]
    if name == USUAL:
        five = asdict(Trial(crowd, rule=THREE_OF_FIVE, mode=Mode.PLAIN).run())
        trials["plain 3 of 5"] = five
        trials["plain, as many"] = _mix(plain, five, guarded["votes_per_item"])
    trials["difference"] = {measure: guarded[measure] - plain[measure] for measure in COMPARED}
    return trials


def _mix(three: dict[str, float], five: dict[str, float], votes: float) -> dict[str, float]:
    """What plain rules reach with so many votes: 3 of 5 for as many answers as those pay for, 2 of 3 for the rest."""
    share = (votes - three["votes_per_item"]) / (five["votes_per_item"] - three["votes_per_item"])
    return {measure: (1 - share) * three[measure] + share * five[measure] for measure in COMPARED}


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
    """What the crowds are made of, and what the rows are."""

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
        f"(few voters: {2 * people.ANSWERS_AN_HOUR} answers).",
        f"{people.SUBTLE:.0%} of the wrong answers have a subtle fault.",
        f"Careful, all who are not named below: {shares('careful')}.",
        f"Careless, {people.CARELESS_PEOPLE}: {shares('careless')}.",
        f"Spammers, half of the malicious: {people.MANNERS['spammer'].wrong:.0%} wrong; they approve everything and "
        f"would give {people.MANNERS['spammer'].votes_an_hour} votes in an hour.",
        f"Colluders, the other half, in rings of {people.RING}: {people.MANNERS['colluder'].wrong:.0%} wrong; they "
        "skip to their mates' answers and approve them, and reject everybody else's.",
        "Sly colluders judge strangers' answers, and so gold, as careful people do.",
        f"An expert is right in {EXPERT_ACCURACY:.0%}. Of the gold answers {people.WRONG_GOLD:.0%} are wrong, plainly.",
        "Guarded: first to two, with gold answers and the guard of docs/rating.md, which looks for collusion every "
        f"{HOURS_BETWEEN_CHECKS} hours; votes on gold and those that no longer count are counted as votes.",
        "Rule alone: first to two and an expert, with no gold answers and no guard.",
        "Plain stops when two agree; corrections are rejections, unsure ones are asked but not counted.",
        "Plain, as many: plain with as many votes as guarded, spent on 3 of 5 for some of the answers.",
        "Stopped: % of the careful / of the malicious people whose votes count no more in the end.",
    ]


def table(facts: Facts) -> Table:
    """The same for people: mean ± half of the 95 % interval."""
    shown = Table(
        title=f"Means over {facts['seeds']} seeds with 95 % intervals; shares in %",
        title_justify="left",
        caption="\n".join(facts["assumptions"]),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    shown.add_column("crowd, rule", no_wrap=True)
    for name in HEADINGS:
        shown.add_column(name, justify="right")
    for crowd, rules in facts["crowds"].items():
        shown.add_row(f"[bold]{crowd}[/]")
        for rule, measured in rules.items():
            shown.add_row(f"  {rule}", *_cells(measured))
    return shown


def _cells(measured: dict[str, Facts]) -> list[str]:
    def show(name: str, times: int, digits: int) -> str:
        low, high = measured[name]["interval"]
        return f"{times * measured[name]['mean']:.{digits}f} ±{times * (high - low) / 2:.{digits}f}"

    cells = [show("wrong_validated", 100, 1), show("right_rejected", 100, 2), show("votes_per_item", 1, 2)]
    if "expert_share" in measured:
        stopped = (100 * measured[name]["mean"] for name in ("careful_stopped", "malicious_stopped"))
        cells += [show("expert_share", 100, 1), f"{measured['median_hours']['mean']:.1f}"]
        cells.append("/".join(f"{share:.1f}" for share in stopped))
    return cells
