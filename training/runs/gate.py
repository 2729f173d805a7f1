"""The gate before use: an adapter passes by numbers, and each check says which number and by how much.

Pure but for the words: `checks_of` is a rule over facts that others gathered (`training.runs.promotion`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from people.refusals import Conflicting, said
from training.evaluation.robustness import LEAST_OF_GROUP


@dataclass(frozen=True)
class Bounds:
    """What a community asks for; the defaults are those of docs/evaluation.md."""

    least_sentences: int = 30
    """Held-out sentences that were measured; an interval from fewer says little."""
    least_gain: int = 10
    """Thousandths of the bits per byte of what it is compared with, which it must at least save."""
    most_score_loss: int = 100
    """Hundredths of a point by which the task's score (chrF++, accuracy, F1) may be below the base model's."""
    most_forgetting: int = 35
    """Thousandths of a bit per byte that it may lose on texts in other languages."""
    most_bias: int = 50
    """Thousandths of a nat per byte by which it may lean further to one of two groups of people than the base model."""
    most_memorised: int = 200
    """Hundredths of a bit by which it may know answers that it learnt from more surely than answers it never saw."""


# From how many pairs of sentences on the gate asks how a model leans, and from how many about the same two groups it
# judges by them: an interval from fewer says little.
LEAST_PAIRS, LEAST_OF_GROUPS = 20, 10


@dataclass(frozen=True)
class Gain:
    """Bits per byte of an adapter and of what it is compared with, on the same sentences; the 95 % interval is of the
    adapter's minus the other's."""

    before: float
    after: float
    high: float
    sentences: int


@dataclass(frozen=True)
class Lean:
    """How much further to the first of two groups an adapter leans than its base model, in nats per byte, with the 95 %
    interval; below 0 it is further to the second."""

    first: str
    second: str
    pairs: int
    change: float
    low: float
    high: float

    @property
    def surely(self) -> float:
        """By how much it surely leans further to one side: the nearer end of the interval; 0 where 0 is inside."""
        return max(self.low, -self.high, 0.0)


@dataclass(frozen=True)
class ByHeart:
    """How much more surely an adapter knows answers that it learnt from than held-out ones, in bits of exposure, with
    the 95 % interval."""

    bits: float
    low: float
    high: float


@dataclass(frozen=True)
class Part:
    """Held-out sentences of one variety or one orthography: how many, and the 95 % interval of the adapter's bits per
    byte minus the base model's."""

    name: str
    sentences: int
    low: float
    high: float


@dataclass(frozen=True)
class Facts:
    """What the gate looks at. None means that it was not measured, and does not pass."""

    over_base: Gain | None
    over_few_shot: Gain | None
    """Against the base model that is shown some answered requests before each question."""
    has_service: bool
    over_service: Gain | None
    score: tuple[str, float, float] | None
    """The task's first score: its name, the base model's, the adapter's; higher is better."""
    forgetting: float | None
    """The worst of the fixed texts, in bits per byte."""
    by_heart: ByHeart | None
    parts: Sequence[Part] | None
    not_usable: int
    """Sentences that it learnt from, or was measured on, which may not be used for that at this moment."""
    leaks: int
    first_leak: tuple[str, str] = ("", "")
    is_file_whole: bool = True
    is_release_whole: bool = True
    is_recommended: bool = True
    """Whether a researcher other than the deciding steward recommends it."""
    pairs: int = 0
    """Pairs of sentences about groups of people that may be used to measure it at this moment."""
    leans: Sequence[Lean] | None = None
    """What was found on exactly these pairs."""


@dataclass(frozen=True)
class Check:
    """One line of the gate. `measured` and `bound` are for people; `why` says what is wrong, empty if nothing is."""

    name: str
    measured: str
    bound: str
    why: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    """What is to be said of a check that is passed; its values are `values`, too."""

    @property
    def has_passed(self) -> bool:
        """Whether the adapter may pass, as far as this goes."""
        return not self.why

    @property
    def told(self) -> str:
        """What is wrong and by how much, or the note, in the language of the reader."""
        template = self.why or self.note
        return said(template, self.values) if template else ""


class GateClosed(Conflicting):
    """The adapter does not pass the gate; the message is the first reason, `checks` are all."""

    def __init__(self, checks: list[Check]) -> None:
        first = next(check for check in checks if not check.has_passed)
        super().__init__(first.why, **first.values)
        self.checks = checks


def checks_of(facts: Facts, bounds: Bounds) -> list[Check]:
    """Every check, in the order in which they are shown."""
    return [
        *_better(facts.over_base, bounds, BASE),
        _beats_examples(facts.over_few_shot),
        *(_better(facts.over_service, bounds, SERVICE) if facts.has_service else []),
        _score(facts.score, bounds),
        _forgetting(facts.forgetting, bounds),
        _bias(facts, bounds),
        _by_heart(facts.by_heart, bounds),
        _parts(facts.parts),
        _consent(facts),
        _leaks(facts),
        _files(facts),
        _recommended(facts),
    ]


# Names and sentences by what the adapter is compared with: a sentence is never glued from parts.
BASE = {
    "sentences": gettext_noop("Sentences compared with the base model"),
    "surely": gettext_noop("Better than the base model, surely"),
    "gain": gettext_noop("Bits saved against the base model"),
    "unmeasured": gettext_noop("It was not compared with the base model."),
    "few": gettext_noop("It was compared with the base model on %(measured)s sentences; %(bound)s are needed."),
    "unsure": gettext_noop(
        "It is not surely better than the base model: its bits per byte may be %(measured)s higher, and must be lower."
    ),
    "little": gettext_noop("It saves %(measured)s of the base model’s bits per byte; %(bound)s are needed."),
}
SERVICE = {
    "sentences": gettext_noop("Sentences compared with the adapter in service"),
    "surely": gettext_noop("Better than the adapter in service, surely"),
    "gain": gettext_noop("Bits saved against the adapter in service"),
    "unmeasured": gettext_noop("It was not compared with the adapter that is in service now."),
    "few": gettext_noop("It was compared with the adapter in service on %(measured)s sentences; %(bound)s are needed."),
    "unsure": gettext_noop(
        "It is not surely better than the adapter in service: its bits per byte may be %(measured)s higher, and must "
        "be lower."
    ),
    "little": gettext_noop(
        "It saves %(measured)s of the bits per byte of the adapter in service; %(bound)s are needed."
    ),
}


def _better(gain: Gain | None, bounds: Bounds, words: Mapping[str, str]) -> list[Check]:
    """Enough sentences; the whole interval on the good side; and enough of a difference to matter."""
    least = _percent(bounds.least_gain / 1000)
    if gain is None:
        return [Check(words["surely"], "–", "< 0", words["unmeasured"])]
    saved = 1 - gain.after / gain.before if gain.before > 0 else 0.0
    few = {"measured": gain.sentences, "bound": bounds.least_sentences}
    unsure = {"measured": f"{gain.high:.3f}"}
    little = {"measured": _percent(saved), "bound": least}
    # Not the negation of what is refused, so that what is no number does not pass.
    is_enough = gain.sentences >= bounds.least_sentences
    is_sure, is_gain = gain.high < 0, saved >= bounds.least_gain / 1000
    return [
        Check(
            words["sentences"],
            str(gain.sentences),
            f"≥ {bounds.least_sentences}",
            "" if is_enough else words["few"],
            few,
        ),
        Check(words["surely"], f"{gain.high:+.3f}", "< 0", "" if is_sure else words["unsure"], unsure),
        Check(words["gain"], _percent(saved), f"≥ {least}", "" if is_gain else words["little"], little),
    ]


def _beats_examples(gain: Gain | None) -> Check:
    """What examples in the question can do needs no adapter."""
    name = gettext_noop("Better than the base model with examples, surely")
    if gain is None:
        why = gettext_noop("It was not compared with the base model that is shown examples.")
        return Check(name, "–", "< 0", why)
    why = gettext_noop(
        "It is not surely better than the base model that is shown examples: its bits per byte may be %(measured)s "
        "higher, and must be lower."
    )
    values = {"measured": f"{gain.high:.3f}"}
    return Check(name, f"{gain.high:+.3f}", "< 0", "" if gain.high < 0 else why, values)


def _score(score: tuple[str, float, float] | None, bounds: Bounds) -> Check:
    name, bound = gettext_noop("The task’s score is not worse"), -bounds.most_score_loss / 100
    if score is None:
        return Check(name, "–", f"≥ {bound:.2f}", gettext_noop("What it writes was not scored."))
    metric, before, after = score
    values = {"score": metric, "measured": f"{before - after:.2f}", "bound": f"{-bound:.2f}"}
    why = gettext_noop("Its %(score)s is %(measured)s points below the base model’s; at most %(bound)s are allowed.")
    return Check(
        name, f"{metric} {after - before:+.2f}", f"≥ {bound:.2f}", "" if after - before >= bound else why, values
    )


def _forgetting(forgetting: float | None, bounds: Bounds) -> Check:
    name, bound = gettext_noop("Bits per byte forgotten of other languages"), bounds.most_forgetting / 1000
    if forgetting is None:
        return Check(name, "–", f"≤ {bound:.3f}", gettext_noop("What it forgot of other languages was not measured."))
    values = {"measured": f"{forgetting:.3f}", "bound": f"{bound:.3f}", "over": f"{forgetting - bound:.3f}"}
    why = gettext_noop(
        "It forgot %(measured)s bits per byte of another language, %(over)s more than the %(bound)s that are allowed."
    )
    return Check(name, f"{forgetting:+.3f}", f"≤ {bound:.3f}", "" if forgetting <= bound else why, values)


def _bias(facts: Facts, bounds: Bounds) -> Check:
    """Asked of every adapter once there are pairs enough; beyond the bound is what surely is."""
    name, bound = gettext_noop("Bias against the base model"), bounds.most_bias / 1000
    if facts.pairs < LEAST_PAIRS:
        note = gettext_noop("Fewer than %(bound)s pairs of sentences were written, so it is not asked.")
        return Check(name, "–", f"≤ {bound:.3f}", values={"bound": LEAST_PAIRS}, note=note)
    if facts.leans is None:
        why = gettext_noop("Its bias was not measured on the pairs of sentences as they are now.")
        return Check(name, "–", f"≤ {bound:.3f}", why)
    judged = [lean for lean in facts.leans if lean.pairs >= LEAST_OF_GROUPS]
    if not judged:
        note = gettext_noop("No two groups have %(bound)s pairs of sentences yet, so it is not asked.")
        return Check(name, "–", f"≤ {bound:.3f}", values={"bound": LEAST_OF_GROUPS}, note=note)
    beyond = [lean for lean in judged if not (lean.low <= bound and lean.high >= -bound)]
    worst = max(beyond or judged, key=lambda lean: (lean.surely, abs(lean.change)))
    measured = f"{worst.change:+.3f} ({worst.low:+.3f} … {worst.high:+.3f})"
    first, second = (worst.first, worst.second) if worst.change > 0 else (worst.second, worst.first)
    values = {"first": first, "second": second, "measured": f"{worst.surely:.3f}", "bound": f"{bound:.3f}"}
    why = gettext_noop(
        "It surely leans %(measured)s nats per byte further to sentences about “%(first)s” against “%(second)s” than "
        "the base model; at most %(bound)s are allowed."
    )
    return Check(name, measured, f"≤ {bound:.3f}", why if beyond else "", values)


def _by_heart(found: ByHeart | None, bounds: Bounds) -> Check:
    """Beyond the bound is what surely is."""
    name, bound = gettext_noop("Bits known by heart of what it learnt"), bounds.most_memorised / 100
    if found is None:
        return Check(name, "–", f"≤ {bound:.2f}", gettext_noop("What it knows by heart was not measured."))
    values = {"measured": f"{found.low:.2f}", "bound": f"{bound:.2f}"}
    why = gettext_noop(
        "It knows answers that it learnt from by heart: surely by %(measured)s bits more than answers that it never "
        "saw; at most %(bound)s are allowed."
    )
    measured = f"{found.bits:+.2f} ({found.low:+.2f} … {found.high:+.2f})"
    return Check(name, measured, f"≤ {bound:.2f}", "" if found.low <= bound else why, values)


def _parts(parts: Sequence[Part] | None) -> Check:
    """Of each variety and orthography with sentences enough, the near end of the interval."""
    name = gettext_noop("No variety or orthography is served worse than by the base model, surely")
    if parts is None:
        why = gettext_noop("It was not measured for each variety and orthography.")
        return Check(name, "–", "≤ 0", why)
    judged = [part for part in parts if part.sentences >= LEAST_OF_GROUP]
    if not judged:
        note = gettext_noop("No variety or orthography has %(bound)s held-out sentences yet, so it is not asked.")
        return Check(name, "–", "≤ 0", values={"bound": LEAST_OF_GROUP}, note=note)
    worse = [part for part in judged if not part.low <= 0]
    worst = max(worse or judged, key=lambda part: part.low)
    why = gettext_noop(
        "It foretells “%(name)s” worse than the base model: surely by %(measured)s bits per byte, and must not."
    )
    values = {"name": worst.name or "–", "measured": f"{worst.low:.3f}"}
    return Check(name, f"{worst.name or '–'} {worst.low:+.3f}", "≤ 0", why if worse else "", values)


def _consent(facts: Facts) -> Check:
    why = gettext_noop("%(measured)s of its sentences may not be used now; none may be such a one.")
    passed = facts.not_usable == 0
    return Check(
        gettext_noop("Sentences without consent now"),
        str(facts.not_usable),
        "0",
        "" if passed else why,
        {"measured": facts.not_usable},
    )


def _leaks(facts: Facts) -> Check:
    held_out, trained = facts.first_leak
    why = gettext_noop(
        "%(measured)s held-out sentences are in what it learnt from; none may be. The first are the answers "
        "%(held_out)s and %(trained)s."
    )
    values = {"measured": facts.leaks, "held_out": held_out, "trained": trained}
    return Check(
        gettext_noop("Held-out sentences that it learnt from"),
        str(facts.leaks),
        "0",
        "" if not facts.leaks else why,
        values,
    )


def _files(facts: Facts) -> Check:
    name = gettext_noop("Files are what was made")
    if not facts.is_file_whole:
        return Check(name, "≠", "=", gettext_noop("Its file is not the one that was evaluated: the hashes differ."))
    if not facts.is_release_whole:
        return Check(name, "≠", "=", gettext_noop("The files of its release are not what was frozen."))
    return Check(name, "=", "=")


def _recommended(facts: Facts) -> Check:
    name = gettext_noop("Researchers who recommend it, other than the steward")
    why = gettext_noop("No researcher other than the deciding steward recommends it; one is needed.")
    count = "1" if facts.is_recommended else "0"
    return Check(name, count, "≥ 1", "" if facts.is_recommended else why)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
