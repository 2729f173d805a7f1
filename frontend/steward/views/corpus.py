"""Bringing text in, and seeing where it came from."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext

from annotation.corpora.models import Import
from annotation.corpora.packaged import ELOTL_LICENCE, read_tsunkua
from annotation.corpora.services import import_packaged, import_upload
from frontend.desk import show_refusal
from frontend.steward.forms import UploadForm
from frontend.steward.queries import sources_with_items
from frontend.steward.views.home import StewardView
from people.refusals import Refusal

PACKAGED_ORIGIN = "elotl: tsunkua"


class CorpusView(StewardView):
    """The community's documents and imports, and the form for a new one."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read and choose a file."""
        return self.page(UploadForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Import a file."""
        form = UploadForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.page(form, status=422)
        fields = dict(form.cleaned_data)
        file = fields.pop("file")
        try:
            record = import_upload(
                community=self.community,
                imported_by=self.person,
                now=self.now,
                name=file.name,
                content=file.read(),
                **fields,
            )
        except Refusal as refusal:
            return self.page(form, status=show_refusal(form, refusal))
        messages.success(request, _told(record))
        return redirect("steward:import", slug=self.community.slug, pk=record.pk)

    def page(self, form: UploadForm, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        """Documents, imports and the form."""
        context = {
            "community": self.community,
            "form": form,
            "refusal": refusal,
            "sources": sources_with_items(self.community, self.person),
            "imports": self.community.imports.select_related("imported_by"),
            "packaged_licence": ELOTL_LICENCE,
            "has_packaged": self.community.imports.filter(origin=PACKAGED_ORIGIN).exists(),
        }
        return render(self.request, "steward/corpus.html", context, status=status)


class PackagedView(CorpusView):
    """The corpus that an installed package carries."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("steward:corpus", slug=self.community.slug)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Import it; a second time adds nothing."""
        try:
            record = import_packaged(
                community=self.community,
                imported_by=self.person,
                rows=read_tsunkua(),
                origin=PACKAGED_ORIGIN,
                licence=ELOTL_LICENCE,
                language_tag="es",
                now=self.now,
            )
        except Refusal as refusal:
            return self.page(UploadForm(), status=refusal.status, refusal=refusal)
        messages.success(request, _told(record))
        return redirect("steward:import", slug=self.community.slug, pk=record.pk)


def _told(record: Import) -> str:
    words = ngettext("%(number)s sentence was added.", "%(number)s sentences were added.", record.added)
    return words % {"number": intcomma(record.added)}


class ImportView(StewardView):
    """What one import brought, and what was wrong with which line."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        record: Any = get_object_or_404(Import.objects.filter(community=self.community), pk=pk)
        return render(request, "steward/import.html", {"community": self.community, "record": record})
