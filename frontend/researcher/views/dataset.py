"""The dataset browser: answers by project, state, variety, purpose and words, with what they hold as bars."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.answers.models import Answer
from annotation.answers.querysets import AnswerQuerySet
from frontend.kind_pages import shown_of
from frontend.researcher.dataset import MOST, count_answers
from frontend.researcher.forms import DatasetForm
from frontend.researcher.views.home import ResearchView

PAGE = 20


class DatasetView(ResearchView):
    """What was written, as far as its authors let members read it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The chosen answers, a page at a time, and their counts."""
        form = DatasetForm(request.GET or None, community=self.community, person=self.person)
        answers = self._chosen(form)
        shown = Paginator(answers.select_related("task__item__source", "task__project").order_by("-created_at"), PAGE)
        page = shown.get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "form": form,
            "page": page,
            "answers": [(answer, shown_of(answer)) for answer in page.object_list],
            "total": shown.count,
            "counts": count_answers(answers),
            "most": MOST,
        }
        return render(request, "researcher/dataset.html", context)

    def _chosen(self, form: DatasetForm) -> AnswerQuerySet:
        answers = Answer.objects.visible_to(self.person).of_community(self.community)
        answers = answers.exclude(state__in=[Answer.State.WITHDRAWN, Answer.State.QUARANTINED])
        if not form.is_valid():
            return answers
        given = form.cleaned_data
        if given["project"]:
            answers = answers.filter(task__project=given["project"])
        if given["state"]:
            answers = answers.filter(state=given["state"])
        if given["variety"]:
            answers = answers.filter(task__item__source__variety=given["variety"])
        if given["purpose"]:
            answers = answers.usable_for(given["purpose"])
        if given["words"]:
            answers = answers.filter(Q(text__icontains=given["words"]) | Q(task__item__text__icontains=given["words"]))
        return answers
