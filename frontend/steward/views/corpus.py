"""Bringing text in, and seeing where it came from."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext

from annotation.corpora.models import Import, Item
from annotation.corpora.packaged import ELOTL_LICENCE, TSUNKUA_LANGUAGE, TSUNKUA_ORIGIN, read_tsunkua
from annotation.corpora.pictures import Upload, import_pictures
from annotation.corpora.services import import_packaged, import_upload
from frontend.desk import show_refusal
from frontend.steward.forms import PicturesForm, UploadForm
from frontend.steward.queries import sources_with_items
from frontend.steward.views.home import StewardView
from people.refusals import Refusal


class CorpusView(StewardView):
    """The community's documents and imports, and the form for a new one."""

    opens_to_glass = True

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
            "has_packaged": self.community.imports.filter(origin=TSUNKUA_ORIGIN).exists(),
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
                origin=TSUNKUA_ORIGIN,
                licence=ELOTL_LICENCE,
                language_tag=TSUNKUA_LANGUAGE,
                now=self.now,
            )
        except Refusal as refusal:
            return self.page(UploadForm(), status=refusal.status, refusal=refusal)
        messages.success(request, _told(record))
        return redirect("steward:import", slug=self.community.slug, pk=record.pk)


class PicturesView(StewardView):
    """Pictures that people write about."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form, and the pictures there are."""
        return self._page(PicturesForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take them in."""
        form = PicturesForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._page(form, 422)
        fields = dict(form.cleaned_data)
        uploads = [Upload(file.name, file.read()) for file in fields.pop("files")]
        try:
            record = import_pictures(
                community=self.community, imported_by=self.person, uploads=uploads, now=self.now, **fields
            )
        except Refusal as refusal:
            return self._page(form, show_refusal(form, refusal))
        told = ngettext("%(number)s picture was added.", "%(number)s pictures were added.", record.added)
        messages.success(request, told % {"number": intcomma(record.added)})
        return redirect("steward:import", slug=self.community.slug, pk=record.pk)

    def _page(self, form: PicturesForm, status: int = 200) -> HttpResponse:
        items = Item.objects.filter(source__community=self.community, extra__has_key="picture_sha256")
        context = {"community": self.community, "form": form, "items": items.order_by("-pk")[:60]}
        return render(self.request, "steward/pictures.html", context, status=status)


def _told(record: Import) -> str:
    words = ngettext("%(number)s sentence was added.", "%(number)s sentences were added.", record.added)
    return words % {"number": intcomma(record.added)}


class ImportView(StewardView):
    """What one import brought, and what was wrong with which line."""

    opens_to_glass = True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        record: Any = get_object_or_404(Import.objects.filter(community=self.community), pk=pk)
        return render(request, "steward/import.html", {"community": self.community, "record": record})
