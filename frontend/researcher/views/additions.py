"""What runs learn from beside a release: the files that are there, bringing one in, having rows made, deleting."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from frontend.desk import show_refusal
from frontend.researcher.addition_forms import DROPPED, AdditionForm, RowsForm, TokensForm
from frontend.researcher.views.home import ResearchView
from people.models import Role
from people.refusals import Refusal
from training.runs.additions import ask_for_rows, delete_addition, makers, sample_of, upload_addition
from training.runs.jobs import ring_rows as ring
from training.runs.models import Addition, Run
from training.runs.vocabularies import ask_for_tokens, token_sources

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

SHOWN = 50
FERTILITY = {
    "tokens_per_word": gettext_lazy("Tokens per word"),
    "times_english": gettext_lazy("Times as many as a word of English"),
    "bytes_per_token": gettext_lazy("Bytes per token"),
}


class AdditionsView(ResearchView):
    """The community's additions, and the forms for new ones."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read what there is."""
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Bring a file in."""
        form = AdditionForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(form=form, status=422)
        fields = dict(form.cleaned_data)
        file = fields.pop("file")
        about = {"community": self.community, "added_by": self.person, "now": self.now, "name": file.name}
        try:
            addition = upload_addition(content=file.read(), **about, **fields)
        except Refusal as refusal:
            return self.page(form=form, status=show_refusal(form, refusal))
        messages.success(request, _("Runs can learn from this now: choose it where you start one."))
        return redirect("researcher:addition", slug=self.community.slug, pk=addition.pk)

    def page(
        self,
        *,
        form: AdditionForm | None = None,
        rows_form: RowsForm | None = None,
        tokens_form: TokensForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The list and the forms."""
        visible = Addition.objects.visible_to(self.person).filter(community=self.community, deleted_at__isnull=True)
        runs, sources = self.makers(), self.sources()
        context = {
            "community": self.community,
            "may_train": self.may_train,
            "additions": visible.select_related("made_by"),
            "form": form or AdditionForm(initial={"language": self.community.language_tag}),
            "rows_form": rows_form or RowsForm(runs=runs),
            "has_makers": bool(runs),
            "tokens_form": tokens_form or TokensForm(runs=sources),
            "has_sources": bool(sources),
        }
        return render(self.request, "researcher/additions.html", context, status=status)

    def makers(self) -> list[Run]:
        """The runs that can make rows, for those who may have it done."""
        return makers(self.community, self.person) if self.may_train else []

    def sources(self) -> list[Run]:
        """The runs that tokens can be learnt from, for those who may have it done."""
        return token_sources(self.community, self.person) if self.may_train else []


class MakeTokensView(AdditionsView):
    """Having a base made with more tokens."""

    roles = (Role.RESEARCHER,)

    def get(self, request: HttpRequest) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("researcher:additions", slug=self.community.slug)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ring a worker."""
        form = TokensForm(request.POST, runs=self.sources())
        if not form.is_valid():
            return self.page(tokens_form=form, status=422)
        run = get_object_or_404(Run.objects.visible_to(self.person), pk=form.cleaned_data["run"])
        try:
            addition = ask_for_tokens(run=run, wanted=form.cleaned_data["wanted"], asked_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(tokens_form=form, status=show_refusal(form, refusal))
        ring(addition)
        return redirect("researcher:addition", slug=self.community.slug, pk=addition.pk)


class MakeRowsView(AdditionsView):
    """Having a finished run make rows."""

    roles = (Role.RESEARCHER,)

    def get(self, request: HttpRequest) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("researcher:additions", slug=self.community.slug)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ring a worker."""
        form = RowsForm(request.POST, runs=self.makers())
        if not form.is_valid():
            return self.page(rows_form=form, status=422)
        run = get_object_or_404(Run.objects.visible_to(self.person), pk=form.cleaned_data["run"])
        try:
            addition = ask_for_rows(run=run, how=form.cleaned_data["how"], asked_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(rows_form=form, status=show_refusal(form, refusal))
        ring(addition)
        return redirect("researcher:addition", slug=self.community.slug, pk=addition.pk)


class AdditionView(ResearchView):
    """One addition."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it is, and its first lines."""
        return self.page(self.addition(pk))

    def addition(self, pk: int) -> Addition:
        """The addition, if this person may see it."""
        visible = Addition.objects.visible_to(self.person).filter(community=self.community)
        related = ("community", "added_by", "made_by__release__project")
        addition: Addition = get_object_or_404(visible.select_related(*related), pk=pk)
        return addition

    def page(self, addition: Addition, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        """The page."""
        context = {
            "community": self.community,
            "addition": addition,
            "may_train": self.may_train,
            "refusal": refusal,
            "lines": [shown(line) for line in sample_of(addition, SHOWN)],
            "dropped": [(DROPPED.get(why, why), number) for why, number in sorted(addition.dropped.items())],
            "runs": addition.runs.order_by("-number"),
            "before_after": before_and_after(addition.measured),
        }
        return render(self.request, "researcher/addition.html", context, status=status)


class DeleteAdditionView(AdditionView):
    """Deleting one, or stopping one that is being made."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("researcher:addition", slug=self.community.slug, pk=self.addition(pk).pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete the file."""
        addition = self.addition(pk)
        try:
            delete_addition(addition=addition, deleted_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(addition, status=refusal.status, refusal=refusal)
        messages.success(request, _("The file is deleted. No run can learn from it any more."))
        return redirect("researcher:additions", slug=self.community.slug)


def before_and_after(measured: dict[str, Any]) -> list[tuple[Words, float, float]]:
    """What new tokens change on held-out text, before any training: name, with the base's tokens, with the new ones."""
    if not measured:
        return []
    before, after = measured["before"], measured["after"]
    rows = [(words, before[key], after[key]) for key, words in FERTILITY.items() if key in before and key in after]
    return [*rows, (_("Bits per byte, before training"), measured["bpb_before"], measured["bpb_by_mean"])]


def shown(line: dict[str, Any]) -> dict[str, str]:
    """A line as people look at it: what is asked, where something is, and what is read or said."""
    if "token" in line:
        # A mark that stands on the letter before it is shown on a circle.
        token = f"◌{line['token']}" if unicodedata.combining(line["token"][:1] or " ") else line["token"]
        return {"token": token, "of": " + ".join(f"“{part}”" for part in line["of"]), "times": line["times"]}
    lesson = line.get("lesson", {})
    return {
        "language": line.get("language", ""),
        "asked": lesson.get("request", ""),
        "said": lesson.get("completion", line.get("text", "")),
    }
