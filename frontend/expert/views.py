"""The expert's desk: answers that peers could not settle, and the decisions on them.

Names of authors and reviewers are not shown: a decision is about words.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.answers.findings import told
from annotation.answers.gold import use_as_gold
from annotation.answers.models import Answer, Review
from annotation.answers.querysets import AnswerQuerySet
from annotation.conflicts.models import Adjudication
from annotation.conflicts.services import adjudicate
from frontend.desk import DeskView, show_refusal
from frontend.expert.forms import DecisionForm, GoldForm
from frontend.kind_pages import kind_context, shown_of
from people.models import Role
from people.refusals import Refusal

RECENT = 20


class ExpertView(DeskView):
    """A page for experts of the community."""

    roles = (Role.EXPERT,)

    def readable(self) -> AnswerQuerySet:
        """Answers of the community that this expert may read."""
        return Answer.objects.visible_to(self.person).of_community(self.community)


class QueueView(ExpertView):
    """What waits for an expert, and what was decided lately."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The queue, longest waiting first."""
        waiting = (
            self.readable()
            .adjudicable_by(self.person)
            .select_related("task__item", "task__project")
            .annotate(verdicts=Count("reviews"))
            .order_by("settled_at")
        )
        own = self.readable().disputed().filter(author=self.person).count()
        context = {
            "community": self.community,
            "waiting": waiting,
            "own": own,
            "decisions": self._decisions(),
        }
        return render(request, "expert/queue.html", context)

    def _decisions(self) -> list[dict[str, Any]]:
        """The latest decisions, with their words where they may still be read."""
        latest = list(
            Adjudication.objects.visible_to(self.person)
            .filter(answer__task__project__community=self.community)
            .select_related("answer__task__item", "answer__task__project", "correction", "expert")[:RECENT]
        )
        wanted = {pk for row in latest for pk in (row.answer_id, row.correction_id) if pk}
        readable = set(self.readable().filter(pk__in=wanted).values_list("pk", flat=True))
        return [
            {
                "row": row,
                "answer": row.answer if row.answer_id in readable else None,
                "correction": row.correction if row.correction_id in readable else None,
            }
            for row in latest
        ]


class AnswerView(ExpertView):
    """One disputed answer with everything that was said about it."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Source, answer, verdicts, history, and the form to decide."""
        answer = self._answer(pk)
        return self._page(answer, DecisionForm(initial={"text": answer.text}))

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Decide."""
        answer = self._answer(pk)
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self._page(answer, form, status=422)
        corrected_text, corrected_payload = answer.task.project.task_kind.from_form(dict(request.POST.lists()))
        try:
            adjudicate(
                answer=answer,
                expert=self.person,
                now=self.now,
                corrected_text=corrected_text,
                corrected_payload=corrected_payload,
                decision=form.cleaned_data["decision"],
                reason=form.cleaned_data["reason"],
            )
        except Refusal as refusal:
            return self._page(answer, form, status=show_refusal(form, refusal))
        messages.success(request, _("Decided. Everybody concerned can read your reason."))
        return redirect("expert:queue", slug=self.community.slug)

    def _answer(self, pk: UUID) -> Answer:
        """A dispute, or one that was decided while this expert was reading; never the expert's own words."""
        concerns_experts = self.readable().disputed() | self.readable().filter(adjudications__isnull=False)
        answers = concerns_experts.exclude(author=self.person).distinct()
        answer: Answer = get_object_or_404(
            answers.select_related("task__item__source", "task__project__orthography"), pk=pk
        )
        return answer

    def _page(self, answer: Answer, form: DecisionForm, *, status: int = 200) -> HttpResponse:
        sent = self.request.POST
        kind = answer.task.project.task_kind
        given = kind.from_form(dict(sent.lists()))[1] if sent else answer.payload
        others = self.readable().filter(task=answer.task_id).exclude(pk=answer.pk).exclude(pk__in=answer.fixed_by.all())
        reviews = list(answer.reviews.select_related("fix"))
        fixes = [review.fix_id for review in reviews if review.fix_id]
        readable = set(self.readable().filter(pk__in=fixes).values_list("pk", flat=True))
        context = {
            "community": self.community,
            **kind_context(answer.task, given=given, seed=0),
            "answer": answer,
            "shown": shown_of(answer),
            "told": told(answer.warnings),
            "others": [(other, shown_of(other)) for other in others.select_related("task__item", "task__project")],
            "form": form,
            "verdicts": [_verdict(review, readable) for review in reviews],
            "history": answer.events.all(),
            "decision": answer.adjudications.first(),
        }
        return render(self.request, "expert/answer.html", context, status=status)


class SettledView(ExpertView):
    """Answers that peers have settled; an expert who finds the same makes them gold.

    What peers said is not shown, so that the expert's word is a second opinion.
    """

    def get(self, request: HttpRequest) -> HttpResponse:
        """Some of them, the latest first."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Use one as gold."""
        form = GoldForm(request.POST)
        form.is_valid()
        answer = get_object_or_404(self._answers(), pk=form.cleaned_data.get("answer"))
        try:
            use_as_gold(answer=answer, expert=self.person, verdict=form.cleaned_data.get("verdict", ""), now=self.now)
        except Refusal as refusal:
            return self._page(refusal=refusal)
        messages.success(request, _("It is gold now, and comes to reviewers among the others."))
        return redirect("expert:settled", slug=self.community.slug)

    def _answers(self) -> AnswerQuerySet:
        return self.readable().confirmable_by(self.person).select_related("task__item__source", "task__project")

    def _page(self, *, refusal: Refusal | None = None) -> HttpResponse:
        context = {
            "community": self.community,
            "answers": self._answers().order_by("-settled_at")[:RECENT],
            "refusal": refusal,
        }
        return render(self.request, "expert/settled.html", context, status=refusal.status if refusal else 200)


SIGN_OF_VERDICT = {"approve": "good", "reject": "bad", "fix": "warn", "unsure": "info"}


def _verdict(review: Review, readable: set[UUID]) -> dict[str, Any]:
    """A review as the page shows it; a correction that was withdrawn stays hidden."""
    return {
        "review": review,
        "sign": SIGN_OF_VERDICT[review.verdict],
        "fix": review.fix if review.fix_id in readable else None,
    }
