"""Opening work and handing it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_noop

from annotation.corpora.models import Item, Source
from annotation.kinds.contract import UnusableAnswer, UnusableSettings
from annotation.projects.models import Assignment, Project, Task
from annotation.projects.picking import next_task
from annotation.projects.rules import ProjectRule, RuleError
from annotation.standing.services import require_not_frozen
from annotation.text.clean import UnusableText, clean_text
from annotation.text.licences import find_clash
from annotation.text.settings import BadSettings, tidy_settings
from care.deciding import is_suspended, require_decision
from care.models import Matter
from care.services import require_consent
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed, TooLate, said
from people.services import require_role

RULE_OF_VOTES = ("concordant", "most", "unsure_limit")
PACKET_TIME = timedelta(hours=48)
LARGEST_PACKET = 50


class LicencesClash(Invalid):
    """Nothing made from these texts may be shared, by their licences."""


class NothingToDo(Conflicting):
    """Every task of the project is done, leased, or was already seen by this person."""


class LeaseExpired(TooLate):
    """The time for the task ran out and somebody else may have it now."""


class ProjectIsClosed(Conflicting):
    """The project takes no work now."""


def rule_of(project: Project) -> ProjectRule:
    """When a task of the project has enough answers, and when peers have settled one: as the project says, else its
    community, else its kind."""
    return ProjectRule.from_mapping({**project.task_kind.stop, **project.community.review_rule, **project.rule})


def wants_many(task: Task) -> bool:
    """Whether several answers may be right beside each other: by the rule, or because more were asked for."""
    return rule_of(task.project).answers.wants_many or task.more > 0


def _complete(project: Project) -> None:
    """Answers are in the community's language unless said otherwise; settings and rule must fit the kind."""
    community = project.community
    project.target_language_name = project.target_language_name or community.language_name
    project.target_language_tag = project.target_language_tag or community.language_tag
    project.target_script = project.target_script or community.script
    project.target_direction = project.target_direction or community.direction
    project.full_clean()
    try:
        project.settings = project.task_kind.check_settings(project.settings)
    except UnusableSettings as error:
        raise Invalid(error.message, field="settings", **error.values) from error
    try:
        rule_of(project)
    except RuleError as error:
        raise Invalid(error.message, field="rule", **error.values) from error
    project.checks = _tidy_checks(project.checks)


@transaction.atomic
def open_project(
    *,
    community: Community,
    created_by: Person,
    sources: Iterable[Source],
    now: datetime,
    roles: Sequence[Role] = (Role.STEWARD,),
    **fields: Any,
) -> Project:
    """Open a project and make one task for each item of the sources that its kind can ask about.

    `roles` are who may; only a project that measures models is for others than stewards to open. Raises Invalid (no
    document, none usable, settings or rule that do not fit), NotAllowed, ValidationError.
    """
    require_role(created_by, community, *roles)
    sources = list(sources)
    if not sources:
        raise Invalid("Choose at least one document to work on.", field="sources")
    if any(source.community_id != community.pk for source in sources):
        raise NotAllowed("A document of another community cannot be worked on here.")
    require_combinable(source.licence for source in sources)
    project = Project(community=community, created_by=created_by, created_at=now, **fields)
    _complete(project)
    subject = f"project:{project.title}"
    require_decision(community=community, matter=Matter.PROJECT, subject=subject, actor=created_by, now=now)
    project.save()
    if not add_tasks(project=project, sources=sources):
        raise Invalid(
            "Nothing in these documents can be asked: %(why)s", field="sources", why=_why_nothing(project, sources)
        )
    append_entry(
        action="project.opened",
        subject=f"project:{project.pk}",
        community=community.slug,
        actor=str(created_by.pk),
        now=now,
        private={"title": project.title},
    )
    return project


def require_combinable(licences: Iterable[str]) -> None:
    """Raises LicencesClash when nothing made from texts under all of these terms may be shared."""
    clash = find_clash(licences)
    if clash is None:
        return
    if clash.one == clash.other:
        raise LicencesClash(
            "%(one)s allows nothing that is made from the text, and an answer is that.", field="sources", one=clash.one
        )
    raise LicencesClash(
        "Nothing made from texts under %(one)s and under %(other)s may be shared: no licence suits both.",
        field="sources",
        one=clash.one,
        other=clash.other,
    )


def add_tasks(*, project: Project, sources: Iterable[Source]) -> int:
    """Make tasks for the items of the sources that have none in the project; returns how many were made."""
    items = Item.objects.filter(source__in=sources).exclude(tasks__project=project)
    wanted = rule_of(project).answers.wanted([])
    tasks = [Task(project=project, item=item, wanted=wanted) for item in items if _refusal(project, item) is None]
    return len(Task.objects.bulk_create(tasks, batch_size=1000, ignore_conflicts=True))


def _refusal(project: Project, item: Item) -> UnusableAnswer | None:
    """Why the project's kind cannot ask about the item."""
    try:
        project.task_kind.check_item(item.text, item.extra)
    except UnusableAnswer as error:
        return error
    return None


def _why_nothing(project: Project, sources: list[Source]) -> str:
    first = Item.objects.filter(source__in=sources).first()
    if first is None:
        return gettext("they are empty.")
    refusal = _refusal(project, first)
    return said(refusal.message, refusal.values) if refusal else gettext("they are tasks already.")


@transaction.atomic
def set_review_rule(
    *, community: Community, votes: Mapping[str, Any], changed_by: Person, now: datetime, project: Project | None = None
) -> None:
    """Say how peers settle answers: in the community, or in one project (where an empty rule leaves it to the
    community). It holds from the next verdict on. Raises Invalid, NotAllowed.

    `votes` holds concordant, most, unsure_limit; in a project also guard.
    """
    require_role(changed_by, community, Role.STEWARD)
    try:
        ProjectRule.from_mapping(votes)
    except RuleError as error:
        raise Invalid(error.message, field=error.setting, **error.values) from error
    if unknown := set(votes) - {*RULE_OF_VOTES, *(("guard",) if project else ())}:
        raise Invalid("There is no setting %(name)s here.", name=min(unknown))
    if project is None:
        community.review_rule = dict(votes)
        community.save(update_fields=["review_rule"])
    else:
        others = {name: value for name, value in project.rule.items() if name not in {*RULE_OF_VOTES, "guard"}}
        project.rule = {**others, **votes}
        project.save(update_fields=["rule"])
    append_entry(
        action="review.rule_set",
        subject=f"project:{project.pk}" if project else f"community:{community.pk}",
        community=community.slug,
        actor=str(changed_by.pk),
        now=now,
        details=dict(votes),
    )


@transaction.atomic
def set_project_state(*, project: Project, state: str, changed_by: Person, now: datetime) -> None:
    """Open or close a project. Closing keeps everything; it only stops handing out work."""
    require_role(changed_by, project.community, Role.STEWARD)
    Project.objects.filter(pk=project.pk).update(state=state)
    append_entry(
        action=f"project.{state}",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(changed_by.pk),
        now=now,
    )


@transaction.atomic
def set_checks(*, project: Project, checks: Mapping[str, Any], changed_by: Person, now: datetime) -> None:
    """Set what the project warns its authors about, from now on. Raises Invalid (naming the setting), NotAllowed."""
    require_role(changed_by, project.community, Role.STEWARD)
    project.checks = _tidy_checks(checks)
    project.save(update_fields=["checks"])
    append_entry(
        action="project.checks_set",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(changed_by.pk),
        now=now,
    )


def _tidy_checks(given: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return tidy_settings(given)
    except BadSettings as error:
        raise Invalid(error.message, field=error.setting or "checks", **error.values) from error


@transaction.atomic
def lease_task(*, project: Project, person: Person, now: datetime) -> Assignment:
    """The person's live lease in the project, or a new one.

    Asking again returns the same task, so a reload loses nothing. New tasks come from the document the person
    works on already, else from the one that the fewest others work on (of these, the longest): a translator
    keeps the context, and documents keep few authors, which lets a release hold out whole documents and their
    authors for testing. A project may hand out urgent tasks before (`annotation.projects.ordering`).

    Raises ConsentMissing, PolicyChanged, ProjectIsClosed, NotAllowed, NothingToDo.
    """
    _begin(project, person, now)
    own = Assignment.objects.filter(task__project=project, person=person, packet=None).shown_in(project.community)
    live: Assignment | None = own.live(now).select_related("task__item__source").first()
    if live is not None:
        return live
    task = next_task(project, person, now)
    if task is None:
        why = why_nothing_to_do(project, person)
        raise NothingToDo(why)
    return Assignment.objects.create(task=task, person=person, leased_at=now, expires_at=now + project.lease_length)


@transaction.atomic
def lease_packet(*, project: Project, person: Person, size: int, now: datetime) -> list[Assignment]:
    """Several tasks at once, to be done offline within two days. Raises what `lease_task` raises, and Invalid.

    Asking again adds to what the person still holds in packets, up to `size`.
    """
    if not 1 <= size <= LARGEST_PACKET:
        raise Invalid("A packet holds 1 to %(most)s tasks.", field="size", most=LARGEST_PACKET)
    _begin(project, person, now)
    held = Assignment.objects.taken_along(now).filter(task__project=project, person=person)
    packet, until = uuid4(), now + PACKET_TIME
    while held.count() < size and (task := next_task(project, person, now)) is not None:
        Assignment.objects.create(task=task, person=person, leased_at=now, expires_at=until, packet=packet)
    shown = held.shown_in(project.community)
    found = list(shown.select_related("task__item__source", "task__project").order_by("leased_at", "pk"))
    if not found:
        why = why_nothing_to_do(project, person)
        raise NothingToDo(why)
    return found


def give_back_packet(*, project: Project, person: Person, now: datetime) -> int:
    """Let others have the tasks that the person took along and has not answered; returns how many."""
    held = Assignment.objects.taken_along(now).filter(task__project=project, person=person)
    return held.update(state=Assignment.State.EXPIRED, closed_at=now)


def _begin(project: Project, person: Person, now: datetime) -> None:
    """What must hold before a task is leased; closes leases that ran out."""
    require_role(person, project.community, Role.SPEAKER)
    require_not_frozen(person, project.community)
    require_consent(person, project.community)
    if project.state != Project.State.OPEN:
        raise ProjectIsClosed("This project is closed for now. Thank you for your work.")
    if is_suspended(community=project.community, matter=Matter.PROJECT, subject=f"project:{project.title}"):
        raise ProjectIsClosed("A steward has suspended this project. Thank you for your work.")
    # Two taps at once must not lease two tasks: the second waits here and finds the first one's lease.
    Person.objects.select_for_update().get(pk=person.pk)
    Assignment.objects.overdue(now).filter(task__project=project).update(state=Assignment.State.EXPIRED, closed_at=now)


def why_nothing_to_do(project: Project, person: Person) -> str:
    """In words of the catalogue, why the person gets no task: all done, all with others, or all seen by them."""
    tasks = Task.objects.filter(project=project)
    wanting = tasks.filter(state=Task.State.OPEN)
    if not wanting.exists():
        if tasks.filter(state__in=[Task.State.ANSWERED, Task.State.DISPUTED]).exists():
            return gettext_noop("Every task here has its answers, and they wait to be checked. You can review.")
        return gettext_noop("Everything here is done. Thank you.")
    unseen = wanting.unseen_by(person)
    if not unseen.exists():
        return gettext_noop(
            "You have answered or skipped everything that is left here. What remains needs other people."
        )
    if not unseen.suiting(person).exists():
        return gettext_noop("What is left here is in other varieties or ways of writing than those you named as yours.")
    return gettext_noop("Others are working on all that is left here. Come back in a few minutes, or review meanwhile.")


@transaction.atomic
def skip_task(*, assignment: Assignment, reason: str, now: datetime, note: str = "") -> None:
    """Hand a task back with a reason; it does not come to this person again. Skipping twice changes nothing."""
    if reason not in Assignment.SkipReason.values:
        raise Invalid("Choose why you skip this sentence.", field="reason")
    try:
        note = clean_text(note, maximum=500) if note.strip() else ""
    except UnusableText as error:
        raise Invalid(error.message, field="note", **error.values) from error
    current = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if current.state == Assignment.State.SKIPPED:
        return
    if current.state == Assignment.State.ANSWERED:
        raise Conflicting("You have already answered this sentence.")
    Assignment.objects.filter(pk=current.pk).update(
        state=Assignment.State.SKIPPED, skip_reason=reason, skip_note=note, closed_at=now
    )


@transaction.atomic
def undo_skip(*, assignment: Assignment, now: datetime) -> Assignment:
    """Take a skipped task back while nobody else has it. Raises LeaseExpired when somebody does."""
    current: Assignment = Assignment.objects.select_for_update().select_related("task__project").get(pk=assignment.pk)
    require_not_frozen(current.person, current.task.project.community)
    task = Task.objects.select_for_update().get(pk=current.task_id)
    if current.state != Assignment.State.SKIPPED or task.is_taken(now, besides=current.person_id):
        raise LeaseExpired("Somebody else works on that sentence now.")
    others = Assignment.objects.filter(task__project=current.task.project, person=current.person)
    others.filter(state=Assignment.State.LEASED).update(state=Assignment.State.EXPIRED, closed_at=now)
    current.state, current.skip_reason, current.skip_note = Assignment.State.LEASED, "", ""
    current.leased_at, current.expires_at, current.closed_at = (
        now,
        now + current.task.project.lease_length,
        None,
    )
    current.save()
    return current


def take_out(tasks: QuerySet[Task], *, now: datetime) -> None:
    """Hand these tasks out no more, for what they ask about was taken back."""
    Assignment.objects.filter(task__in=tasks, state=Assignment.State.LEASED).update(
        state=Assignment.State.EXPIRED, closed_at=now
    )
    tasks.update(state=Task.State.TAKEN_OUT)


def expire_leases(*, now: datetime) -> int:
    """Close the leases that ran out, so that others get the tasks; returns how many."""
    return Assignment.objects.overdue(now).update(state=Assignment.State.EXPIRED, closed_at=now)
