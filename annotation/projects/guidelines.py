"""Guidelines in versions: who writes them, and what has changed since somebody read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from annotation.projects.models import Assignment, Guideline, GuidelineReading, Project
from annotation.text.clean import UnusableText, clean_text
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role

LONGEST = 20_000


class GuidelinesChanged(Conflicting):
    """Somebody else has written a version since the form was opened."""


def number_of(project: Project) -> int:
    """The present version: 1 for what a project was opened with, 0 while there is nothing."""
    newest = Guideline.objects.filter(project=project).values_list("number", flat=True).first()
    return newest if newest is not None else int(bool(project.guidelines))


@transaction.atomic
def write_guidelines(*, project: Project, text: str, number: int, written_by: Person, now: datetime) -> Guideline:
    """A steward writes the guidelines anew, on top of the version that was read.

    Raises Invalid, GuidelinesChanged, NotAllowed. Writing the same again changes nothing.
    """
    require_role(written_by, project.community, Role.STEWARD)
    locked = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    try:
        text = clean_text(text, maximum=LONGEST) if text.strip() else ""
    except UnusableText as error:
        raise Invalid(error.message, field="text", **error.values) from error
    newest = Guideline.objects.filter(project=locked).first()
    if text == locked.guidelines and newest is not None:
        return newest
    if number != number_of(locked):
        raise GuidelinesChanged(
            "Somebody has changed the guidelines since you opened them. Yours are in the form still."
        )
    return add_version(project=locked, text=text, written_by=written_by, now=now)


def add_version(*, project: Project, text: str, written_by: Person, now: datetime) -> Guideline:
    """One more version, for whoever may; the caller holds the project's lock."""
    number = number_of(project)
    if number == 1 and not Guideline.objects.filter(project=project).exists():
        Guideline.objects.create(
            project=project,
            number=1,
            text=project.guidelines,
            written_by=project.created_by,
            written_at=project.created_at,
        )
    made = Guideline.objects.create(
        project=project, number=number + 1, text=text, written_by=written_by, written_at=now
    )
    project.guidelines = text
    project.save(update_fields=["guidelines"])
    append_entry(
        action="project.guidelines_written",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(written_by.pk),
        now=now,
        details={"version": made.number},
    )
    return made


@dataclass(frozen=True)
class News:
    """What has changed for one reader."""

    number: int
    seen: int
    before: str
    """The text of the version that was seen."""

    @property
    def is_new(self) -> bool:
        """Whether there is a version that they have not seen."""
        return self.seen < self.number


def news_for(*, project: Project, person: Person) -> News:
    """What the person has read last, and the present version.

    Whoever never said that they had read anything has seen what was in force when they last answered; who never
    answered comes to it new, and nothing has changed for them.
    """
    number = number_of(project)
    reading = GuidelineReading.objects.filter(project=project, person=person).first()
    seen = reading.number if reading else _in_force_when_answering(project, person, number)
    earlier = Guideline.objects.filter(project=project, number=seen).first() if seen < number else None
    return News(number=number, seen=seen, before=earlier.text if earlier else "")


def _in_force_when_answering(project: Project, person: Person, number: int) -> int:
    answered = Assignment.objects.filter(task__project=project, person=person, state=Assignment.State.ANSWERED)
    last = answered.order_by("-closed_at").values_list("closed_at", flat=True).first()
    if last is None or number < 2:
        return number
    then = Guideline.objects.filter(project=project, written_at__lte=last)
    return then.values_list("number", flat=True).first() or 0


def mark_read(*, project: Project, person: Person, number: int, now: datetime) -> None:
    """The person has read this version. Saying so twice, or of an older one, changes nothing."""
    number = min(number, number_of(project))
    row, is_new = GuidelineReading.objects.get_or_create(
        project=project, person=person, defaults={"number": number, "read_at": now}
    )
    if not is_new and row.number < number:
        row.number, row.read_at = number, now
        row.save(update_fields=["number", "read_at"])
