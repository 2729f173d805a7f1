"""What peers have settled: a second opinion makes gold of it, and a steward may ask an expert about it."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.answers.gold import use_as_gold
from annotation.answers.querysets import AnswerQuerySet
from annotation.conflicts.services import ask_expert
from frontend.expert.forms import AskForm, GoldForm
from frontend.expert.views.desk import ExpertView
from people.models import Role
from people.refusals import Refusal
from people.services import has_role

RECENT = 20


class SettledView(ExpertView):
    """Answers that peers have settled; an expert who finds the same makes them gold.

    What peers said is not shown, so that the expert's word is a second opinion.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        """Some of them, the latest first; or those with some words."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Use one as gold, or bring it to an expert."""
        answer = get_object_or_404(self._answers(), pk=_pk_in(request))
        try:
            if "ask" in request.POST:
                form = AskForm(request.POST)
                form.is_valid()
                ask_expert(answer=answer, steward=self.person, note=form.cleaned_data.get("note", ""), now=self.now)
                messages.success(request, _("It waits for an expert now."))
            else:
                verdict = request.POST.get("verdict", "")
                use_as_gold(answer=answer, expert=self.person, verdict=verdict, now=self.now)
                messages.success(request, _("It is gold now, and comes to reviewers among the others."))
        except Refusal as refusal:
            return self._page(refusal=refusal)
        return redirect("expert:settled", slug=self.community.slug)

    def _answers(self) -> AnswerQuerySet:
        return self.readable().confirmable_by(self.person).select_related("task__item__source", "task__project")

    def _page(self, *, refusal: Refusal | None = None) -> HttpResponse:
        words = self.request.GET.get("words", "").strip()
        answers = self._answers()
        if words:
            answers = answers.filter(Q(text__icontains=words) | Q(task__item__text__icontains=words))
        context = {
            "community": self.community,
            "answers": answers.order_by("-settled_at")[:RECENT],
            "words": words,
            "refusal": refusal,
            "is_expert": self.is_expert,
            "is_steward": has_role(self.person, self.community, Role.STEWARD),
        }
        return render(self.request, "expert/settled.html", context, status=refusal.status if refusal else 200)


def _pk_in(request: HttpRequest) -> object:
    form = GoldForm(request.POST)
    form.is_valid()
    return form.cleaned_data.get("answer")
