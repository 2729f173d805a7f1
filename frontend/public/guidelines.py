"""A project's guidelines, for everybody in its community: what they say, and what has changed since one read them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.answers.models import Answer
from annotation.conflicts.models import Example
from annotation.projects.guidelines import LONGEST, mark_read, news_for, write_guidelines
from annotation.projects.models import Guideline, Project
from annotation.text.compare import compare
from frontend.desk import DeskView, show_refusal
from people.models import Role
from people.refusals import Refusal
from people.services import has_role


class GuidelinesForm(forms.Form):
    """A new version, on top of the one that was read."""

    number = forms.IntegerField(widget=forms.HiddenInput())
    text = forms.CharField(
        label=gettext_lazy("Guidelines"),
        required=False,
        strip=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}),
    )


class GuidelinesView(DeskView):
    """The guidelines with their examples; stewards write them here."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read them."""
        return self._page(self._project(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say that they are read; or write a new version."""
        project, form = self._project(pk), GuidelinesForm(request.POST)
        if not form.is_valid():
            return self._page(project, form, 422)
        number = form.cleaned_data["number"]
        if "write" not in request.POST:
            mark_read(project=project, person=self.person, number=number, now=self.now)
            messages.success(request, _("You will be told when they change again."))
            return redirect("public:guidelines", slug=self.community.slug, pk=project.pk)
        try:
            write_guidelines(
                project=project, text=form.cleaned_data["text"], number=number, written_by=self.person, now=self.now
            )
        except Refusal as refusal:
            return self._page(project, form, show_refusal(form, refusal))
        messages.success(request, _("The new version is in force. Everybody who works here is told what changed."))
        return redirect("public:guidelines", slug=self.community.slug, pk=project.pk)

    def _project(self, pk: int) -> Project:
        visible = Project.objects.visible_to(self.person).filter(community=self.community)
        project: Project = get_object_or_404(visible.select_related("community"), pk=pk)
        return project

    def _page(self, project: Project, form: GuidelinesForm | None = None, status: int = 200) -> HttpResponse:
        news = news_for(project=project, person=self.person)
        initial = {"number": news.number, "text": project.guidelines}
        context = {
            "community": self.community,
            "project": project,
            "news": news,
            "changes": compare(news.before, project.guidelines, by_words=True) if news.is_new else [],
            "examples": self._examples(project, news.seen),
            "versions": Guideline.objects.filter(project=project).select_related("written_by"),
            "form": form or GuidelinesForm(initial=initial),
            "is_steward": has_role(self.person, self.community, Role.STEWARD),
        }
        return render(self.request, "public/guidelines.html", context, status=status)

    def _examples(self, project: Project, seen: int) -> list[dict[str, Any]]:
        """Those whose words may still be read, the newest first."""
        rows = list(
            Example.objects.visible_to(self.person)
            .filter(guideline__project=project)
            .select_related("adjudication", "guideline")
        )
        stands = {row.pk: row.adjudication.correction_id or row.adjudication.answer_id for row in rows}
        readable = (
            Answer.objects.visible_to(self.person).validated().select_related("task__item__source", "task__project")
        )
        answers = readable.in_bulk(stands.values())
        return [
            {"row": row, "answer": answers[stands[row.pk]], "is_new": row.guideline.number > seen}
            for row in rows
            if stands[row.pk] in answers
        ]
