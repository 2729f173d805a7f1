"""What runs learn from beside a release: the files that are there, bringing one in, having rows made, deleting."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from frontend.desk import show_refusal
from frontend.researcher.addition_forms import DROPPED, AdditionForm, RowsForm
from frontend.researcher.views.home import ResearchView
from people.models import Role
from people.refusals import Refusal
from training.runs.additions import ask_for_rows, delete_addition, makers, sample_of, upload_addition
from training.runs.jobs import ring_rows as ring
from training.runs.models import Addition, Run

SHOWN = 50


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
        self, *, form: AdditionForm | None = None, rows_form: RowsForm | None = None, status: int = 200
    ) -> HttpResponse:
        """The list and both forms."""
        visible = Addition.objects.visible_to(self.person).filter(community=self.community, deleted_at__isnull=True)
        runs = self.makers()
        context = {
            "community": self.community,
            "may_train": self.may_train,
            "additions": visible.select_related("made_by"),
            "form": form or AdditionForm(initial={"language": self.community.language_tag}),
            "rows_form": rows_form or RowsForm(runs=runs),
            "has_makers": bool(runs),
        }
        return render(self.request, "researcher/additions.html", context, status=status)

    def makers(self) -> list[Run]:
        """The runs that can make rows, for those who may have it done."""
        return makers(self.community, self.person) if self.may_train else []


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
            "refusal": refusal,
            "lines": [shown(line) for line in sample_of(addition, SHOWN)],
            "dropped": [(DROPPED.get(why, why), number) for why, number in sorted(addition.dropped.items())],
            "runs": addition.runs.order_by("-number"),
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


def shown(line: dict[str, Any]) -> dict[str, str]:
    """A line as people look at it: what is asked, where something is, and what is read or said."""
    lesson = line.get("lesson", {})
    return {
        "language": line.get("language", ""),
        "asked": lesson.get("request", ""),
        "said": lesson.get("completion", line.get("text", "")),
    }
