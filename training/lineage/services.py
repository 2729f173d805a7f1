"""What follows from a withdrawal after the act: tracing, ending runs and adapters, and ticking the stages off."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from annotation.answers.models import Answer, Suggestion
from care.models import Withdrawal
from care.withdrawing import Name, finish_stage
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Conflicting
from people.services import require_role
from training.exports.services import forget_exports
from training.lineage.models import Taint
from training.lineage.tracing import Tainted, taint_of, taint_of_person
from training.mining.models import Reading
from training.mining.trials import forget_texts
from training.playground.models import Generation
from training.playground.stream import forget
from training.playground.suggesting import maker_of, project_of
from training.releases.models import Release, ReleaseItem
from training.runs.beside import runs_on
from training.runs.intruders import forget_intruders
from training.runs.models import Adapter, AdapterEvent, Run
from training.runs.services import LIVE, discard_learnt
from training.runs.states import ADAPTER, after

# Translated where it is shown, like every note of the house's own.
TIME_IS_OVER = gettext_noop("Its words were withdrawn a month ago, and nobody had retired it.")
WORDS_ERASED = gettext_noop("Words that it learnt from were erased.")


class NotTainted(Conflicting):
    """Only an adapter whose words were withdrawn is deleted; others are retired by a decision."""


def roots_of(case: Withdrawal) -> list[Tainted]:
    """Everything made from the words that a withdrawal took back, these included."""
    if case.scope == Withdrawal.Scope.ITEM:
        return taint_of(Answer.objects.filter(pk=case.answer_key).values_list("pk", flat=True))
    return taint_of_person(case.person, case.community)


@transaction.atomic
def trace(*, withdrawal: Withdrawal, now: datetime) -> int:
    """Find and keep what was made from the words; how many things. Tracing twice changes nothing."""
    case = Withdrawal.objects.select_for_update().get(pk=withdrawal.pk)
    if not case.stages.waiting(Name.TRACED).exists():
        return Taint.objects.filter(withdrawal=case).count()
    found = roots_of(case)
    Taint.objects.bulk_create(
        [Taint(withdrawal=case, kind=row.kind, key=row.key, depth=row.depth, path=list(row.path)) for row in found],
        batch_size=2000,
        ignore_conflicts=True,
    )
    finish_stage(withdrawal=case, name=Name.TRACED, number=len(found), now=now)
    return len(found)


def adapters_of(case: Withdrawal) -> list[Adapter]:
    """The adapters that learnt from the words, deleted ones included; to be asked once the words are traced."""
    roots = Taint.objects.filter(withdrawal=case, kind__in=["answer", "receipt"])
    words, votes = ([row.key for row in roots if row.kind == kind] for kind in ("answer", "receipt"))
    held = ReleaseItem.objects.filter(Q(answer__in=words) | Q(voters__in=votes), withdrawn_at__isnull=False)
    runs = runs_on(Release.objects.filter(pk__in=held.values("release")))
    return list(Adapter.objects.filter(run__in=runs, withdrawn_since__isnull=False))


def follow(*, withdrawal: Withdrawal, now: datetime) -> None:
    """Tick off what has come about since: the trace, the end of runs, what holders answered, the end of adapters."""
    trace(withdrawal=withdrawal, now=now)
    waiting = set(withdrawal.stages.waiting().values_list("name", flat=True))
    if Name.STOPPED in waiting:
        traced = {int(row.key) for row in withdrawal.taints.filter(kind="run")}
        marked = Release.objects.filter(runs__in=traced, withdrawn_since__isnull=False).distinct()
        on_marked = Run.objects.filter(pk__in=traced & runs_on(marked))
        if not on_marked.filter(state__in=LIVE).exists():
            number = on_marked.filter(state=Run.State.CANCELLED).count()
            finish_stage(withdrawal=withdrawal, name=Name.STOPPED, number=number, now=now)
    if Name.HOLDERS_TOLD in waiting:
        notices = withdrawal.notices.all()
        if not notices.open_ones().exists():
            finish_stage(withdrawal=withdrawal, name=Name.HOLDERS_TOLD, number=notices.count(), now=now)
    if Name.ENDED in waiting:
        adapters = adapters_of(withdrawal)
        if all(adapter.deleted_at for adapter in adapters):
            finish_stage(withdrawal=withdrawal, name=Name.ENDED, number=len(adapters), now=now)


def follow_withdrawals(*, now: datetime) -> int:
    """Delete the adapters whose time is over, then follow every withdrawal that is not done; how many there were."""
    for adapter in Adapter.objects.overdue(now):
        end_adapter(adapter=adapter, note=TIME_IS_OVER, now=now)
    cases = list(Withdrawal.objects.unfinished())
    for case in cases:
        follow(withdrawal=case, now=now)
    return len(cases)


@transaction.atomic
def end_adapter(*, adapter: Adapter, note: str, now: datetime, ended_by: Person | None = None) -> Adapter:
    """Retire an adapter whose words were withdrawn and delete its weights, and what it wrote; the row stays, to say so.

    `ended_by` None is the deadline, or an erasure. Raises NotTainted, NotAllowed; deleting twice changes nothing.
    """
    current: Adapter = Adapter.objects.select_for_update().get(pk=adapter.pk)
    if ended_by is not None:
        require_role(ended_by, current.community, Role.STEWARD)
    if not current.contains_withdrawn:
        raise NotTainted("No words that it learnt from were withdrawn. Retire it by a decision instead.")
    if current.deleted_at is not None:
        return current
    current.state, current.deleted_at = after(ADAPTER, current.state, "delete"), now
    report = {name: value for name, value in current.report.items() if name != "evaluation"}
    figures = current.report.get("evaluation", {})
    current.report = {**report, "evaluation": {name: value for name, value in figures.items() if name != "samples"}}
    current.save(update_fields=["state", "deleted_at", "report"])
    AdapterEvent.objects.create(adapter=current, kind=Adapter.State.RETIRED, actor=ended_by, note=note[:1000], at=now)
    _forget_what_it_wrote(current, now)
    append_entry(
        action="adapter.retired",
        subject=f"adapter:{current.pk}",
        community=current.community.slug,
        actor=str(ended_by.pk) if ended_by else "",
        now=now,
    )
    checkpoint_after_commit(community=current.community.slug, now=now)
    transaction.on_commit(lambda: discard_learnt(current.run))
    return current


def _forget_what_it_wrote(adapter: Adapter, now: datetime) -> None:
    """What a model wrote may hold what it learnt by heart, and what was made of it holds what it learnt."""
    forget_texts(adapter=adapter, now=now)
    written = Generation.objects.with_adapter(adapter)
    forget([str(pk) for pk in written.values_list("pk", flat=True)])
    written.delete()
    forget_exports(adapter)
    forget_intruders(adapter)
    Reading.objects.filter(Q(probe__adapter=adapter) | Q(probe__rival=adapter)).update(text="", rival_text="")
    proposed = Suggestion.objects.filter(made_by=maker_of(adapter), task__project=project_of(adapter))
    proposed.filter(begun__isnull=True).delete()
    proposed.update(text="", payload={})
