"""What the votes of trials come to, in numbers that name nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from annotation.aggregation.preferences import Preference, Preferences, Share, summarise
from annotation.answers.models import Answer
from annotation.kinds.compare.kind import BOTH_BAD, SIDES, shown_first
from care.models import Purpose
from training.mining.models import Trial, TrialPair
from training.runs.models import Adapter

# As on the transparency page: a number about fewer people tells what one of them did.
FEWEST = 3
# The base model among adapters, which are named by their keys.
BASE = 0


@dataclass(frozen=True)
class Preferred:
    """How an adapter's texts fared in one trial against those of another model: the base where `rival` is None."""

    trial: Trial
    rival: Adapter | None
    share: Share
    people: int
    alike: int
    """Votes on texts of any two models in the trial that found both alike, or both bad."""

    @property
    def is_better(self) -> bool:
        """Whether people surely prefer it."""
        return self.share.low > 0.5

    @property
    def is_worse(self) -> bool:
        """Whether they surely prefer the other."""
        return self.share.high < 0.5


def given_votes(trial: Trial) -> list[Preference]:
    """The trial's votes that may be used to measure models now: by their voters' consent, and by that of whoever
    answered the request."""
    pairs = {pair.item_id: pair for pair in TrialPair.objects.filter(trial=trial)}
    usable = Answer.objects.filter(task__project=trial.project_id).usable_for(Purpose.EVALUATE_MODELS)
    living = usable.filter(state__in=[Answer.State.SUBMITTED, Answer.State.VALIDATED])
    rows = living.order_by("pk").values_list("author", "assignment", "task__item", "payload")
    return [
        _preference(pairs[item], author, assignment, payload.get("choice"))
        for author, assignment, item, payload in rows
        if item in pairs
    ]


def _preference(pair: TrialPair, person: int, assignment: int | None, choice: str) -> Preference:
    left, right = pair.first_id or BASE, pair.second_id or BASE
    return Preference(
        person=person,
        sentence=pair.item_id,
        left=left,
        right=right,
        won={SIDES[0]: left, SIDES[1]: right}.get(choice),
        is_bad=choice == BOTH_BAD,
        left_was_first=None if assignment is None else shown_first(assignment) == SIDES[0],
    )


def outcome_of(trial: Trial) -> Preferences | None:
    """What its votes come to, once nobody is asked any more and at least three people have said something."""
    if not trial.is_over:
        return None
    found = summarise(given_votes(trial))
    return found if found.people >= FEWEST else None


def preferred_of(adapters: Iterable[Adapter]) -> dict[int, list[Preferred]]:
    """For each adapter by its key, how its texts fared in every trial that is over, the newest first."""
    shown = {adapter.pk: [] for adapter in adapters}  # type: dict[int, list[Preferred]]
    trials = Trial.objects.filter(pairs__in=TrialPair.objects.of_adapters(shown)).distinct()
    for trial in trials.select_related("project"):
        outcome = outcome_of(trial)
        if outcome is None:
            continue
        models = Adapter.objects.select_related("run").in_bulk([key for pair in outcome.duels for key in pair if key])
        for (one, other), share in outcome.duels.items():
            if one in shown:
                alike = outcome.same + outcome.bad
                shown[one].append(Preferred(trial, models.get(other), share, outcome.people, alike))
    return shown
