"""The case that every withdrawal opens: what has to happen because of it, and until when.

Deadlines are counted from the moment of the act. Who does a stage tells so with `finish_stage`; whoever has more to do
because of a withdrawal, such as telling whoever downloaded them, adds a stage with `add_stage`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from care.models import Purpose, Withdrawal, WithdrawalStage
from people.models import Community, Person

Name = WithdrawalStage.Name
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Stage:
    """One thing to be done, how soon, and whether every withdrawal brings it about."""

    name: str
    within: timedelta
    always: bool = True


STAGES = (
    Stage(Name.REFUSED, AT_ONCE),
    Stage(Name.MARKED, AT_ONCE),
    Stage(Name.STOPPED, timedelta(minutes=5)),
    Stage(Name.PAUSED, timedelta(minutes=15)),
    Stage(Name.TOLD, timedelta(hours=24)),
    Stage(Name.TRACED, timedelta(seconds=60)),
    Stage(Name.HOLDERS_TOLD, timedelta(days=7), always=False),
    Stage(Name.ENDED, timedelta(days=30)),
    Stage(Name.ERASED, timedelta(days=30), always=False),
)


def open_withdrawal(
    *,
    person: Person,
    community: Community,
    scope: str,
    answers: int,
    now: datetime,
    answer_key: str = "",
    purposes: Collection[str] = (),
) -> Withdrawal:
    """Open the case, in the transaction of the act itself, with a stage for all that always follows."""
    case = Withdrawal.objects.create(
        person=person,
        community=community,
        scope=scope,
        answer_key=answer_key,
        purposes=[purpose for purpose in Purpose.values if purpose in purposes],
        answers=answers,
        asked_at=now,
    )
    always = [(place, stage) for place, stage in enumerate(STAGES) if stage.always]
    WithdrawalStage.objects.bulk_create(
        [
            WithdrawalStage(withdrawal=case, name=stage.name, place=place, due_at=now + stage.within)
            for place, stage in always
        ]
    )
    return case


def add_stage(*, withdrawal: Withdrawal, name: str, now: datetime) -> WithdrawalStage:
    """Add a stage that not every withdrawal has; its time begins when it is added. Adding twice changes nothing."""
    place = next(place for place, stage in enumerate(STAGES) if stage.name == name)
    stage, _ = WithdrawalStage.objects.get_or_create(
        withdrawal=withdrawal, name=name, defaults={"place": place, "due_at": now + STAGES[place].within}
    )
    return stage


def finish_stage(*, withdrawal: Withdrawal, name: str, number: int, now: datetime) -> bool:
    """Say that a stage is done, and how many rows it concerned; whether it was this call that finished it."""
    waiting = withdrawal.stages.filter(name=name, done_at__isnull=True)
    return bool(waiting.update(done_at=now, number=number))
