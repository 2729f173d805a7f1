"""Checking what others wrote."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation.answers.findings import told
from annotation.answers.models import Answer
from annotation.answers.reviews import next_review, review_answer
from annotation.answers.services import AnswerChanged
from annotation.projects.models import Project
from annotation.standing.services import Frozen
from care.services import ConsentMissing, PolicyChanged, require_consent
from frontend.kind_pages import kind_context, shown_of
from frontend.speaker.forms import ReviewForm
from frontend.speaker.views.answering import AnsweringView
from people.models import Role
from people.refusals import Refusal
from people.services import has_role


class ReviewView(AnsweringView):
    """One answer and four verdicts."""

    roles = (Role.SPEAKER, Role.EXPERT)
    template_name = "speaker/review.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The answer that most needs a verdict."""
        project = self.project(pk)
        try:
            require_consent(self.person, self.community)
        except (ConsentMissing, PolicyChanged) as refusal:
            messages.info(request, str(refusal))
            return redirect(self.consent_address(request.path))
        try:
            answer = next_review(project=project, person=self.person, now=self.now)
        except Refusal as refusal:
            return self._nothing(project, refusal)
        if answer is None:
            return self._nothing(project)
        form = ReviewForm(
            initial={
                "answer": answer.pk,
                "version": answer.version,
                "client_id": uuid4(),
                "text": answer.text,
            }
        )
        return self.page({**self._context(project, answer), "form": form})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Store the verdict and go on to the next answer."""
        project = self.project(pk)
        form = ReviewForm(request.POST)
        form.is_valid()
        answer = (
            Answer.objects.visible_to(self.person)
            .select_related("task__item__source", "task__project__community", "suggestion")
            .filter(task__project=project, pk=form.cleaned_data.get("answer"))
            .first()
        )
        if answer is None:
            messages.info(request, _("That answer was taken back by its author. Here is what waits next."))
            return self.stored(request.path)
        if form.errors:
            return self.malformed(form, self._context(project, answer), back=request.path)
        fixed_text, fixed_payload = project.task_kind.from_form(dict(request.POST.lists()))
        try:
            review_answer(
                answer=answer,
                reviewer=self.person,
                now=self.now,
                fixed_text=fixed_text,
                fixed_payload=fixed_payload,
                look=self.look(),
                **{name: form.cleaned_data[name] for name in ("verdict", "version", "client_id", "reason", "note")},
            )
        except AnswerChanged as refusal:
            # The page then shows the new text, so the verdict must name the new version.
            answer.refresh_from_db()
            form.data = {**request.POST.dict(), "version": answer.version}
            return self.refused(form, refusal, self._context(project, answer), back=request.path)
        except Refusal as refusal:
            return self.refused(form, refusal, self._context(project, answer), back=request.path)
        return self.stored(request.path, _("Thank you for reading carefully."))

    def _nothing(self, project: Project, refusal: Refusal | None = None) -> HttpResponse:
        may_translate = has_role(self.person, self.community, Role.SPEAKER) and not isinstance(refusal, Frozen)
        context = {
            "community": self.community,
            "project": project,
            "may_translate": may_translate,
            "refusal": refusal,
        }
        return render(self.request, "speaker/nothing_to_review.html", context)

    def _context(self, project: Project, answer: Answer) -> dict[str, Any]:
        given = self.given(project) or answer.payload
        return {
            **kind_context(answer.task, given=given, seed=0),
            "answer": answer,
            "shown": shown_of(answer),
            "told": told(answer.warnings),
        }
