"""Taking an adapter out of the house: what keeps it in, having a file made, and downloading it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from care.deciding import DecisionNeeded
from care.effects import is_alone
from care.elections import rules_of
from care.models import Matter
from frontend.desk import show_refusal
from frontend.researcher.views.runs import OneRun
from people.handing import while_allowed
from people.models import Role
from people.refusals import Refusal
from people.services import has_role
from training.exports.jobs import ring
from training.exports.models import Export
from training.exports.services import (
    ask_for_export,
    download_export,
    ranks_of,
    require_going_out,
    subject_of_export,
)
from training.recipes.configuration import BY_RANKS
from training.runs.models import Adapter, Run


class ExportForm(forms.Form):
    """In which form, and which ranks where there are several."""

    form = forms.ChoiceField(
        label=gettext_lazy("In which form?"), choices=Export.Form.choices, widget=forms.RadioSelect
    )
    rank = forms.TypedChoiceField(label=gettext_lazy("Rank"), coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, ranks: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ranks:
            choices = [("", str(ranks[-1])), *((str(rank), str(rank)) for rank in ranks[:-1])]
            self.fields["rank"].choices = choices  # type: ignore[attr-defined]
        else:
            del self.fields["rank"]


class ExportsView(OneRun):
    """An adapter's files, and asking for one."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read what there is."""
        run, adapter = self.adapter(pk)
        return self.files(run, adapter, ExportForm(ranks=ranks_of(adapter)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ring a worker, which makes it."""
        run, adapter = self.adapter(pk)
        form = ExportForm(request.POST, ranks=ranks_of(adapter))
        if not form.is_valid():
            return self.files(run, adapter, form, status=422)
        try:
            export = ask_for_export(adapter=adapter, asked_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self.files(run, adapter, form, status=show_refusal(form, refusal))
        ring(export)
        messages.success(request, _("A worker makes this file now. Load this page again in some minutes."))
        return redirect("researcher:exports", slug=self.community.slug, pk=run.pk)

    def adapter(self, pk: int) -> tuple[Run, Adapter]:
        """The run and what it made, if this person may see it."""
        run = self.run(pk)
        visible = Adapter.objects.visible_to(self.person).select_related("community", "run__release")
        return run, get_object_or_404(visible, run=run)

    def files(self, run: Run, adapter: Adapter, form: ExportForm, *, status: int = 200) -> HttpResponse:
        """The page."""
        refusal: Refusal | None = None
        try:
            # As a worker, so that a look decides nothing.
            require_going_out(adapter=adapter, person=None, now=self.now)
        except Refusal as error:
            refusal = error
        is_undecided = isinstance(refusal, DecisionNeeded)
        context = {
            "community": self.community,
            "run": run,
            "adapter": adapter,
            "form": form,
            "refusal": refusal,
            "is_undecided": is_undecided,
            "decides_alone": is_undecided and self._decides_alone(),
            "subject": subject_of_export(adapter),
            "is_cut": adapter.run.method in BY_RANKS,
            "exports": Export.objects.visible_to(self.person).filter(adapter=adapter).select_related("adapter__run"),
        }
        return render(self.request, "researcher/exports.html", context, status=status)

    def _decides_alone(self) -> bool:
        """Whether asking is deciding: a steward's, where one decides for all."""
        alone = is_alone(rules_of(self.community, Matter.ADAPTER))
        return alone and has_role(self.person, self.community, Role.STEWARD)


@method_decorator(never_cache, name="dispatch")
class ExportFileView(ExportsView):
    """One file."""

    def get(self, request: HttpRequest, pk: int, number: int) -> HttpResponseBase:  # type: ignore[override]
        """The zip; each download is entered in the record."""
        run, adapter = self.adapter(pk)
        visible = Export.objects.visible_to(self.person).filter(adapter=adapter)
        export = get_object_or_404(visible.select_related("adapter__community", "adapter__run"), pk=number)
        try:
            path = download_export(export=export, person=self.person, now=self.now)
        except Refusal as refusal:
            form = ExportForm({}, ranks=ranks_of(adapter))
            return self.files(run, adapter, form, status=show_refusal(form, refusal))
        answer = FileResponse(path.open("rb"), as_attachment=True, filename=export.file_name)
        answer["Content-Type"] = "application/zip"
        answer.streaming_content = while_allowed(answer.streaming_content, lambda: self._still(export))
        return answer

    def _still(self, export: Export) -> bool:
        """Whether the person may have it now, and everything stands as when the download began."""
        visible = Export.objects.visible_to(self.person).select_related("adapter__community", "adapter__run__release")
        current = visible.filter(pk=export.pk).first()
        if current is None:
            return False
        try:
            require_going_out(adapter=current.adapter, person=None, now=timezone.now())
        except Refusal:
            return False
        return True

    def post(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:  # type: ignore[override]
        """Nothing is done here."""
        return redirect("researcher:exports", slug=self.community.slug, pk=self.adapter(pk)[0].pk)
