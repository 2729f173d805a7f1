"""Asking members which of two models' texts is better, without telling them which wrote which.

The texts are those of finished probes: what two models wrote to held-out requests. What people say of them measures
models and teaches none: the document of such a project is marked as machine-made, and no release takes an answer to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import SystemRandom
from typing import cast

from django.db import transaction

from annotation.answers.judging import ASKED, COMPARE, Judged, open_about
from annotation.answers.models import Answer
from annotation.corpora.models import Item
from annotation.projects.models import Task
from annotation.projects.services import take_out
from care.models import Purpose
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role
from training.mining.models import Probe, Reading, Trial, TrialPair
from training.runs.models import Adapter

FEWEST_VOTES, MOST_VOTES, USUAL_VOTES = 1, 10, 3
# Stands for a text where a model wrote nothing: that, too, is better or worse.
NOTHING = "—"
# Nobody can foretell the order, and so nobody knows from a number who wrote what.
_chance = SystemRandom()


@transaction.atomic
def open_trial(
    *, probes: Sequence[Probe], title: str, opened_by: Person, now: datetime, votes: int = USUAL_VOTES
) -> Trial:
    """Open a project in which members compare what the probes' models wrote to held-out requests.

    Each pair is compared by `votes` people: not by the author of the answer that the request was held out with, nor by
    whoever opens it. Several probes of one project bring more than two models. Raises Invalid, NotAllowed,
    DecisionNeeded, ValidationError.
    """
    if not probes:
        raise Invalid("Choose a finished reading of held-out answers, beside the base model or another adapter.")
    require_role(opened_by, probes[0].community, Role.RESEARCHER, Role.STEWARD)
    _check(probes, votes)
    project = probes[0].project
    readings = list(_readable(probes, opened_by))
    told_apart = [reading for reading in readings if reading.text != reading.rival_text]
    pairs, rows = _shuffled(told_apart, opened_by)
    if not rows:
        raise Invalid("There is nothing to compare: they wrote the same, or their texts may not be shown any more.")
    judging, items = open_about(
        project=project,
        rows=rows,
        kind=COMPARE,
        title=title,
        by=opened_by,
        now=now,
        is_machine_made=True,
        roles=(Role.RESEARCHER, Role.STEWARD),
        settings={"both_bad": True},
        rule={"stop": "total", "answers": votes},
    )
    trial = Trial.objects.create(
        community=project.community,
        project=judging,
        of=project,
        same=len(readings) - len(told_apart),
        opened_by=opened_by,
        opened_at=now,
    )
    TrialPair.objects.bulk_create(
        [
            TrialPair(trial=trial, item=item, first=first, second=second)
            for item, (first, second) in zip(items, pairs, strict=True)
        ],
        batch_size=1000,
    )
    return trial


def _check(probes: Sequence[Probe], votes: int) -> None:
    if not FEWEST_VOTES <= votes <= MOST_VOTES:
        raise Invalid("Choose a number from %(least)s to %(most)s.", field="votes", least=FEWEST_VOTES, most=MOST_VOTES)
    if not all(probe.can_be_tried for probe in probes):
        raise Invalid("Choose a finished reading of held-out answers, beside the base model or another adapter.")
    first = probes[0]
    if any(
        (probe.project_id, probe.adapter.run.base_model) != (first.project_id, first.adapter.run.base_model)
        for probe in probes
    ):
        raise Invalid("Two adapters are compared on one project and one base model.")
    if not first.project.task_kind.is_text:
        raise Invalid("Answers in words can be compared or rated.")
    adapters = {adapter.pk: adapter for probe in probes for adapter in (probe.adapter, probe.rival) if adapter}
    if any(adapter.contains_withdrawn for adapter in adapters.values()):
        raise Invalid("This adapter learnt from words that were withdrawn.")
    if Adapter.objects.filter(pk__in=adapters).not_held().count() < len(adapters):
        raise Invalid("This adapter may no longer be used.")


def _readable(probes: Sequence[Probe], person: Person) -> list[Reading]:
    """Readings with texts, of answers that members may see and peers judge, and that may measure models, now."""
    usable = Answer.objects.eligible_for(Purpose.EVALUATE_MODELS).usable_for(Purpose.DISPLAY_MEMBERS)
    usable = usable.usable_for(Purpose.PEER_REVIEW).visible_to(person)
    found = Reading.objects.filter(probe__in=[probe.pk for probe in probes], is_read=True, answer__in=usable)
    # One that was too long for a model has no measure, and no text.
    return list(
        found.filter(entropy__isnull=False).select_related("probe__adapter", "probe__rival", "task__item", "answer")
    )


def _shuffled(
    readings: Sequence[Reading], opened_by: Person
) -> tuple[list[tuple[Adapter | None, Adapter | None]], list[Judged]]:
    """Who wrote the two texts of each row, and the rows, in an order and on sides that chance chose."""
    drawn = _chance.sample(list(readings), len(readings))
    pairs, rows, seen = [], [], set()
    for reading in drawn:
        written = [(reading.probe.adapter, reading.text), (reading.probe.rival, reading.rival_text)]
        _chance.shuffle(written)
        first, second = written
        extra = {"option_a": first[1] or NOTHING, "option_b": second[1] or NOTHING}
        # Two answers to one sentence, or two probes, may bring the same texts again.
        key = (reading.task.item.text, *sorted(extra.values()))
        if key in seen:
            continue
        seen.add(key)
        pairs.append((first[0], second[0]))
        # Readings of held-out answers each have one (`open_trial`).
        quoted = {ASKED: cast(Answer, reading.answer)}
        rows.append(Judged(reading.task.item.text, extra, quoted, not_for=frozenset({opened_by.pk})))
    return pairs, rows


def take_out_what_may_not_be_shown(*, now: datetime) -> None:
    """Ask no more about texts of an adapter that learnt from words which were withdrawn since, or that is held; votes
    that were given stay. A job calls it every minute."""
    items = TrialPair.objects.not_to_be_shown().values("item")
    open_ones = Task.objects.filter(state=Task.State.OPEN, item__in=items)
    if open_ones.exists():
        take_out(open_ones, now=now)


def forget_texts(*, adapter: Adapter, now: datetime) -> None:
    """Delete the texts that an adapter wrote, and those beside them; nobody is asked about them any more."""
    items = TrialPair.objects.of_adapters([adapter.pk]).values("item")
    take_out(Task.objects.filter(item__in=items), now=now)
    Item.objects.filter(pk__in=items).update(extra={})
