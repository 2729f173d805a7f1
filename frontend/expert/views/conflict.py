"""One conflict: everything that was said of one task, and the decision on it.

Names of authors and reviewers are not shown, unless the community says so: a decision is about words.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from annotation.answers.models import Answer, Review
from annotation.conflicts.models import Adjudication, Remark
from annotation.conflicts.names import letters_of
from annotation.conflicts.services import WAITING, adjudicate, discuss, make_example, reopen
from annotation.kinds.contract import Written
from annotation.projects.guidelines import news_for
from annotation.projects.models import Task
from care.models import Restriction
from frontend.desk import show_refusal
from frontend.expert.forms import MERGE, DecisionForm, ReasonForm, RemarkForm
from frontend.expert.panels import agreement_of, cases_like, lanes_of, panels_of
from frontend.expert.views.desk import ExpertView
from frontend.kind_pages import kind_context
from people.models import Person
from people.refusals import Conflicting, Refusal


class ConflictPage(ExpertView):
    """What the pages about one conflict share."""

    def lead(self, pk: UUID) -> Answer:
        """An answer that an expert is or was asked about; never one to a task of the person's own."""
        readable = self.readable().not_touching(self.person)
        concerns = (
            readable.filter(state__in=WAITING)
            | readable.filter(adjudications__isnull=False)
            | readable.filter(rulings__isnull=False)
        )
        related = ("task__item__source", "task__project__orthography", "task__project__community")
        answer: Answer = get_object_or_404(concerns.distinct().select_related(*related), pk=pk)
        return answer

    def standing(self, lead: Answer) -> Adjudication:
        """The latest decision on the conflict that nobody has opened again."""
        standing = Adjudication.objects.visible_to(self.person).standing().filter(answer__task=lead.task)
        return get_object_or_404(standing.order_by("-decided_at")[:1])

    def answers(self, task: Task) -> list[Answer]:
        """All answers of the task that the person may read."""
        rows = self.readable().filter(task=task).select_related("task__project", "task__item", "author")
        return list(rows.prefetch_related(Prefetch("reviews", Review.objects.as_read()), "reviews__fix", "events"))

    def page(self, lead: Answer, *, status: int = 200, **forms: Any) -> HttpResponse:
        """The conflict, with the forms that were sent."""
        task, sent = lead.task, self.request.POST if self.request.method == "POST" else {}
        answers = self.answers(task)
        begun = _begun_with(answers, self.request.GET.get("from", "")) or lead
        letters = letters_of(task)
        panels = panels_of(
            answers=answers,
            names=self._names(letters),
            letters=letters,
            chosen=sent.getlist("answers") if sent else self.request.GET.getlist("from"),
        )
        is_sent = "form" in forms
        given = task.project.task_kind.from_form(dict(sent.lists()))[1] if is_sent else begun.payload
        standing = Adjudication.objects.standing().filter(answer__task=task).select_related("expert", "example").first()
        is_open = any(row.state in WAITING for row in answers)
        context = {
            "community": self.community,
            **kind_context(task, given=given, seed=0),
            "form": DecisionForm(initial={"text": begun.text}),
            "remark_form": RemarkForm(),
            "reopen_form": ReasonForm(),
            **forms,
            "answer": lead,
            "panels": panels,
            "agreement": agreement_of(panels),
            "lanes": lanes_of(task, panels, sent.getlist("fragment") if is_sent else None)
            if "spans" in lead.payload
            else None,
            "suggested": [_suggested(task, row) for row in task.suggestions.shown()],  # type: ignore[attr-defined]
            "alike": cases_like(task, self.person),
            "remarks": Remark.objects.visible_to(self.person).filter(task=task).select_related("author"),
            "decision": standing,
            "may_be_example": standing and standing.decision in {"accept", "both", "correct"},
            "guideline_news": news_for(project=task.project, person=self.person),
            "undone": Adjudication.objects.filter(answer__task=task, reopened_at__isnull=False),
            "is_open": is_open,
            "shows_form": self.is_expert and (is_open or is_sent),
            "is_expert": self.is_expert,
            "back": self.keeping(reverse("expert:queue", args=[self.community.slug])),
            "next": self._next(lead),
            "query": self.request.GET.urlencode(),
        }
        return render(self.request, "expert/conflict.html", context, status=status)

    def _names(self, letters: dict[int, str]) -> dict[int, str]:
        """Person A, B, C; and the people's names, where the community shows them and they are not hidden."""
        coded = {person: _("Person %(letter)s") % {"letter": letter} for person, letter in letters.items()}
        if self.community.experts_see_names:
            shown = set(letters) - Restriction.objects.hidden_people(self.community)
            people = Person.objects.filter(pk__in=shown)
            coded |= {person.pk: f"{letters[person.pk]} · {person.name}" for person in people}
        return coded

    def _next(self, lead: Answer) -> str:
        """The conflict after this one in the queue; empty when there is none."""
        _form, queue = self.filtered()
        tasks = [conflict.task.pk for conflict in queue]
        after = tasks.index(lead.task_id) + 1 if lead.task_id in tasks else 0
        others = [one for one in [*queue[after:], *queue[:after]] if one.task.pk != lead.task_id]
        return self.address_of(others[0]) if others else ""


class ConflictView(ConflictPage):
    """One conflict with everything that was said about it."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Source, answers, verdicts, and the form to decide."""
        return self.page(self.lead(pk))

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Decide, and go on to the next."""
        lead = self.lead(pk)
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self.page(lead, status=422, form=form)
        try:
            adjudicate(expert=self.person, now=self.now, **self._decided(lead, form.cleaned_data))
        except Refusal as refusal:
            return self.page(lead, status=show_refusal(form, refusal), form=form)
        messages.success(request, _("Decided. Everybody concerned can read your reason."))
        return redirect(self._next(lead) or self.keeping(reverse("expert:queue", args=[self.community.slug])))

    def _decided(self, lead: Answer, cleaned: dict[str, Any]) -> dict[str, Any]:
        """What the form says, as the service takes it."""
        answers = {str(row.pk): row for row in self.answers(lead.task)}
        ticked = self.request.POST.getlist("answers")
        if not set(ticked) <= set(answers):
            raise Conflicting("One of the ticked answers is gone. Look at what is left, and decide again.")
        chosen = [answers[pk] for pk in ticked] or [lead]
        text, payload = lead.task.project.task_kind.from_form(dict(self.request.POST.lists()))
        decision = cleaned["decision"]
        if decision == MERGE:
            kept = self.request.POST.getlist("fragment")
            payload = {"spans": [_span(value) for value in kept]}
            decision, chosen = _merged(lead, list(answers.values()), payload["spans"])
        return {
            "answer": chosen[0],
            "also": chosen[1:],
            "decision": decision,
            "reason": cleaned["reason"],
            "corrected_text": text,
            "corrected_payload": payload,
        }


class DiscussView(ConflictPage):
    """Saying something to the other experts and the stewards."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("expert:answer", slug=self.community.slug, pk=self.lead(pk).pk)

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Say it."""
        lead, form = self.lead(pk), RemarkForm(request.POST)
        if not form.is_valid():
            return self.page(lead, status=422, remark_form=form)
        try:
            discuss(task=lead.task, person=self.person, text=form.cleaned_data["text"], now=self.now)
        except Refusal as refusal:
            return self.page(lead, status=show_refusal(form, refusal), remark_form=form)
        messages.success(request, _("The other experts and the stewards can read it."))
        return redirect(self.keeping(reverse("expert:answer", args=[self.community.slug, lead.pk])))


class ExampleView(ConflictPage):
    """Showing a decision in the guidelines."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("expert:answer", slug=self.community.slug, pk=self.lead(pk).pk)

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Show it."""
        lead = self.lead(pk)
        try:
            make_example(adjudication=self.standing(lead), expert=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("The guidelines show it. Everybody who works here is told."))
        return redirect("expert:answer", slug=self.community.slug, pk=lead.pk)


class ReopenView(ConflictPage):
    """Opening a decision again."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("expert:answer", slug=self.community.slug, pk=self.lead(pk).pk)

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Undo the latest one that stands."""
        lead, form = self.lead(pk), ReasonForm(request.POST)
        adjudication = self.standing(lead)
        if not form.is_valid():
            return self.page(lead, status=422, reopen_form=form)
        try:
            reopen(adjudication=adjudication, expert=self.person, reason=form.cleaned_data["reason"], now=self.now)
        except Refusal as refusal:
            return self.page(lead, status=show_refusal(form, refusal), reopen_form=form)
        messages.success(request, _("The decision is undone, and the conflict waits again."))
        return redirect("expert:answer", slug=self.community.slug, pk=adjudication.answer_id)


def _begun_with(answers: list[Answer], pk: str) -> Answer | None:
    return next((row for row in answers if str(row.pk) == pk), None)


def _suggested(task: Task, row: Any) -> dict[str, Any]:
    """What a machine proposes, as its kind shows answers."""
    written = Written(row.text, row.payload)
    return {"row": row, "shown": task.project.task_kind.export(task.asked, written), "json": json.dumps(row.payload)}


def _span(value: str) -> dict[str, Any]:
    """A fragment's box: "start-end-label"; what is none of these the kind refuses."""
    start, _dash, rest = value.partition("-")
    end, _dash, label = rest.partition("-")
    offsets = {name: int(said) if said.isdecimal() else said for name, said in (("start", start), ("end", end))}
    return {**offsets, "label": label}


def _merged(lead: Answer, answers: list[Answer], spans: list[dict[str, Any]]) -> tuple[str, list[Answer]]:
    """The decision that the chosen fragments amount to: taking an answer that says just this, or a correction built
    on all from whom one was taken."""
    wanted = {(one["start"], one["end"], one["label"]) for one in spans}
    marks = {
        row.pk: {(one["start"], one["end"], one["label"]) for one in row.payload.get("spans", [])} for row in answers
    }
    open_ones = [row for row in answers if row.state in {*WAITING, Answer.State.SUBMITTED}]
    same = [row for row in open_ones if marks[row.pk] == wanted]
    if same:
        return Adjudication.Decision.ACCEPT, same[:1]
    return Adjudication.Decision.CORRECT, [row for row in open_ones if marks[row.pk] & wanted] or [lead]
