"""What I wrote: reading what became of it, editing, and taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from annotation.answers.models import Answer, AnswerEvent, Review
from annotation.answers.services import AnswerChanged, appeal, edit_answer
from frontend.desk import show_refusal
from frontend.kind_pages import kind_context
from frontend.speaker.forms import AppealForm, EditForm, WordsFilter
from frontend.speaker.queries import reach_of_answer
from frontend.speaker.views.answering import OwnWordsView
from people.models import Role
from people.refusals import Refusal
from people.services import has_role
from training.runs.withdrawals import withdraw_answer

PAGE_SIZE = 20
# What the badges on the page say.
STATE_WORDS = (
    (Answer.State.SUBMITTED, gettext_lazy("in review")),
    (Answer.State.VALIDATED, gettext_lazy("accepted")),
    (Answer.State.REJECTED, gettext_lazy("not accepted")),
    (Answer.State.DISPUTED, gettext_lazy("with the experts")),
    (Answer.State.RETURNED, gettext_lazy("sent back to you")),
    (Answer.State.QUARANTINED, gettext_lazy("kept apart")),
    (Answer.State.WITHDRAWN, gettext_lazy("taken back")),
)


class MyAnswersView(OwnWordsView):
    """A page about answers that the person wrote in this community."""

    def answers(self) -> QuerySet[Answer]:
        """The person's own answers here."""
        return (
            Answer.objects.visible_to(self.person)
            .of_community(self.community)
            .filter(author=self.person)
            .select_related("task__item__source", "task__project__orthography", "task__project__community")
        )

    def answer(self, pk: UUID) -> Answer:
        """The person's own answer with that id."""
        found = self.answers().filter(pk=pk).first()
        if found is None:
            raise Http404("No such page.")
        return found

    @property
    def list_address(self) -> str:
        """Where all of my words are."""
        return reverse("speaker:words", args=[self.community.slug])


class WordsView(MyAnswersView):
    """The list of my answers with what reviewers and experts said; never who said it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One page of the list."""
        chosen = WordsFilter(request.GET)
        state = chosen.cleaned_data["state"] if chosen.is_valid() else ""
        answers = (
            self.answers()
            .prefetch_related(
                Prefetch("reviews", Review.objects.as_read()),
                "adjudications",
                "rulings__adjudication",
                Prefetch("events", AnswerEvent.objects.filter(kind__in=["rejected", "appealed"]), "refusals"),
            )
            .order_by("-created_at", "pk")
        )
        if state:
            answers = answers.filter(state=state)
        page = Paginator(answers, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "page": page,
            "state": state,
            "states": STATE_WORDS,
            "rows": [(answer, _is_editable(answer), _may_appeal(answer)) for answer in page],
            "may_speak": has_role(self.person, self.community, Role.SPEAKER, Role.EXPERT),
        }
        return render(request, "speaker/words.html", context)


def _is_editable(answer: Answer) -> bool:
    read = any(review.version == answer.version for review in answer.reviews.all())
    return answer.state == Answer.State.RETURNED or (answer.state == Answer.State.SUBMITTED and not read)


def _may_appeal(answer: Answer) -> bool:
    asked = any(event.kind == "appealed" for event in answer.refusals)  # type: ignore[attr-defined]
    return (
        answer.state == Answer.State.REJECTED
        and not asked
        and not answer.adjudications.all()
        and not answer.rulings.all()
    )


class EditView(MyAnswersView):
    """Changing one's own text until somebody has reviewed it."""

    template_name = "speaker/edit.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The form with the present text."""
        answer = self.answer(pk)
        if not _is_editable(answer):
            messages.info(request, _("Somebody has reviewed this answer, so it stays as it is. You can take it back."))
            return redirect(self.list_address)
        form = EditForm(initial={"version": answer.version, "text": answer.text})
        return self.page({**self._context(answer), "form": form})

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Store the new text."""
        answer = self.answer(pk)
        form = EditForm(request.POST)
        if not form.is_valid():
            return self.malformed(form, self._context(answer), back=request.path)
        text, payload = answer.task.project.task_kind.from_form(dict(request.POST.lists()))
        try:
            edit_answer(
                answer=answer,
                author=self.person,
                now=self.now,
                version=form.cleaned_data["version"],
                text=text,
                payload=payload,
                look=self.look(),
            )
        except AnswerChanged as refusal:
            return self.refused(form, refusal, self._context(answer), back=self.list_address)
        except Refusal as refusal:
            return self.refused(form, refusal, self._context(answer), back=request.path)
        return self.stored(self.list_address, _("Your new text is stored."))

    def _context(self, answer: Answer) -> dict[str, Any]:
        given = self.given(answer.task.project) or answer.payload
        return {**kind_context(answer.task, given=given, seed=0), "answer": answer}


class AppealView(MyAnswersView):
    """Asking an expert about an answer that was not accepted."""

    template_name = "speaker/appeal.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """What was said of it, and room for a word to the expert."""
        return self.page({"answer": self.answer(pk), "form": AppealForm()})

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Ask."""
        answer, form = self.answer(pk), AppealForm(request.POST)
        form.is_valid()
        try:
            appeal(answer=answer, author=self.person, note=form.cleaned_data["note"], now=self.now)
        except Refusal as refusal:
            return self.page({"answer": answer, "form": form}, show_refusal(form, refusal))
        messages.success(request, _("An expert will look at it. You will read the reason here."))
        return redirect(self.list_address)


class WithdrawAnswerView(MyAnswersView):
    """Taking one answer back."""

    template_name = "speaker/withdraw_answer.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Say what will happen before it does."""
        answer = self.answer(pk)
        if answer.state == Answer.State.WITHDRAWN:
            messages.info(request, _("You have taken this answer back already."))
            return redirect(self.list_address)
        return self.page({"answer": answer, "reach": reach_of_answer(answer)})

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Take it back."""
        done = withdraw_answer(answer=self.answer(pk), author=self.person, now=self.now)
        messages.success(request, _("Your answer is taken back and is used no more."))
        if done.releases:
            messages.info(
                request,
                ngettext(
                    "%(number)d release that holds it is now marked and trains nothing any more.",
                    "%(number)d releases that hold it are now marked and train nothing any more.",
                    len(done.releases),
                )
                % {"number": len(done.releases)},
            )
        return redirect(self.list_address)
