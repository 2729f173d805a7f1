"""Answering one task after another; skipping one, and taking the skip back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.answers.suggestions import begun_with
from annotation.corpora.models import Picture
from annotation.projects.guidelines import news_for
from annotation.projects.models import Assignment, Project
from annotation.projects.services import NothingToDo, ProjectIsClosed, lease_task, skip_task, undo_skip
from annotation.standing.services import Frozen
from care.services import ConsentMissing, PolicyChanged
from frontend.desk import DeskView
from frontend.kind_pages import kind_context
from frontend.speaker.forms import AnswerForm
from frontend.speaker.queries import reviews_waiting
from frontend.speaker.views.answering import AnsweringView
from people.models import Role
from people.refusals import Refusal

UNDO_TIME = timedelta(minutes=10)


class WorkPage(AnsweringView):
    """The page with one leased task on it."""

    roles = (Role.SPEAKER,)
    template_name = "speaker/work.html"

    def address_of(self, project: Project) -> str:
        """Where the next task of the project is; for what was taken along, the packet."""
        page = "speaker:packet" if self.request.GET.get("packet") else "speaker:work"
        return reverse(page, args=[self.community.slug, project.pk])

    def assignment(self, pk: int) -> Assignment:
        """The person's own assignment with that number, in this community."""
        own = Assignment.objects.visible_to(self.person).filter(task__project__community=self.community)
        found: Assignment | None = (
            own.select_related("task__item__source__variety", "task__project__orthography").filter(pk=pk).first()
        )
        if found is None:
            raise Http404("No such page.")
        return found

    def context(self, project: Project, assignment: Assignment) -> dict[str, Any]:
        """What the page shows around its form."""
        left = assignment.expires_at - self.now
        return {
            "project": project,
            "assignment": assignment,
            **kind_context(assignment.task, given=self.given(project), seed=assignment.pk),
            "suggestions_of_words": assignment.task.suggestions.shown().exclude(text="")[:3],  # type: ignore[attr-defined]
            "guideline_news": news_for(project=project, person=self.person),
            "minutes_left": max(0, round(left.total_seconds() / 60)),
            **self._latest(project),
        }

    def _latest(self, project: Project) -> dict[str, Any]:
        """The person's last answer, while they may edit it, and a skip that they may still take back."""
        answer = (
            Answer.objects.filter(author=self.person, task__project=project, assignment__isnull=False)
            .order_by("-created_at")
            .first()
        )
        skip = (
            Assignment.objects.visible_to(self.person)
            .shown_in(self.community)
            .select_related("task__item")
            .filter(task__project=project, state=Assignment.State.SKIPPED, closed_at__gte=self.now - UNDO_TIME)
            .order_by("-closed_at")
            .first()
        )
        if answer and skip and skip.closed_at and skip.closed_at < answer.created_at:
            skip = None
        if answer and (answer.state != Answer.State.SUBMITTED or answer.reviews.exists()):
            answer = None
        return {"last_answer": answer, "last_skip": skip}


class WorkView(WorkPage):
    """The next task, and its answer."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lease a task, or the one that is leased already."""
        project = self.project(pk)
        try:
            assignment = lease_task(project=project, person=self.person, now=self.now)
        except (ConsentMissing, PolicyChanged) as refusal:
            messages.info(request, str(refusal))
            return redirect(self.consent_address(request.path))
        except (NothingToDo, ProjectIsClosed, Frozen) as refusal:
            return self._nothing(project, refusal)
        fields: dict[str, Any] = {"assignment": assignment.pk, "client_id": uuid4()}
        begun = begun_with(assignment.task, self._number("suggestion"))
        if begun is not None:
            fields |= {"text": begun.text, "suggestion": begun.pk}
        return self.page({**self.context(project, assignment), "form": AnswerForm(initial=fields), "begun": begun})

    def _number(self, name: str) -> int | None:
        given = self.request.GET.get(name, "")
        return int(given) if given.isdecimal() and len(given) < 10 else None

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store the answer and go on to the next task."""
        project = self.project(pk)
        form = AnswerForm(request.POST)
        form.is_valid()
        assignment = self.assignment(form.cleaned_data.get("assignment") or 0)
        if assignment.task.project_id != project.pk:
            raise Http404("No such page.")
        context, back = self.context(project, assignment), self.address_of(project)
        if form.errors:
            return self.malformed(form, context, back=back)
        if "look" in request.POST:
            return self.looked_over(form, assignment.task, context, back=back)
        text, payload = project.task_kind.from_form(dict(request.POST.lists()))
        try:
            answer = submit_answer(
                assignment=assignment,
                author=self.person,
                text=text,
                payload=payload,
                client_id=form.cleaned_data["client_id"],
                look=self.look(),
                suggestion=form.cleaned_data["suggestion"],
                now=self.now,
            )
        except Refusal as refusal:
            return self.refused(form, refusal, context, back=back)
        return self.stored(back, self._thanks(answer))

    def _thanks(self, answer: Answer) -> str:
        if answer.state == Answer.State.QUARANTINED:
            return _("It is kept apart: what you agreed to has ended. Agree again, and it goes on its way.")
        if answer.task.project.task_kind.is_reviewed:
            return _("Thank you. It is stored, and others will check it.")
        return _("Thank you. It is stored.")

    def _nothing(self, project: Project, refusal: Refusal) -> HttpResponse:
        context = {
            "community": self.community,
            "project": project,
            "kind": project.task_kind,
            "refusal": refusal,
            "waiting": reviews_waiting(self.person, [project], now=self.now).get(project.pk, 0),
            **self._latest(project),
        }
        return render(self.request, "speaker/nothing_to_do.html", context)


class PictureView(DeskView):
    """A picture that members of the community write about."""

    def get(self, request: HttpRequest, sha256: str) -> HttpResponse:
        """The picture under its hash, which is another when the picture is."""
        pictures = Picture.objects.visible_to(self.person).filter(community=self.community)
        picture: Picture | None = pictures.filter(sha256=sha256).first()
        if picture is None:
            raise Http404("No such page.")
        year = {"Cache-Control": "private, max-age=31536000, immutable"}
        return HttpResponse(bytes(picture.content), content_type="image/webp", headers=year)


class SkipView(WorkPage):
    """Handing a task back with a reason."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Skip, and go on to the next task."""
        assignment = self.assignment(pk)
        project = assignment.task.project
        back = self.address_of(project)
        form = AnswerForm(request.POST)
        form.is_valid()
        try:
            skip_task(
                assignment=assignment,
                reason=form.data.get("reason", ""),
                note=form.data.get("note", ""),
                now=self.now,
            )
        except Refusal as refusal:
            return self.refused(form, refusal, self.context(project, assignment), back=back)
        return self.stored(back)


class UndoSkipView(WorkPage):
    """Taking a skipped task back."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is leased again, unless somebody else has it by now."""
        assignment = self.assignment(pk)
        try:
            undo_skip(assignment=assignment, now=self.now)
        except Refusal as refusal:
            messages.warning(request, str(refusal))
        return redirect(self.address_of(assignment.task.project))
