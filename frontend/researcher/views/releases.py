"""Freezing releases, reading them, checking them, taking them home."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.projects.models import Project
from care.models import Purpose
from frontend.desk import show_refusal
from frontend.researcher.forms import FreezeForm
from frontend.researcher.queries import projects_with_usable, read_card, read_manifest
from frontend.researcher.views.home import ResearchView
from people.handing import while_allowed
from people.refusals import Refusal
from training.releases.downloads import take_home
from training.releases.models import Release
from training.releases.services import freeze_release, verify_release
from training.runs.models import Run


class FreezeView(ResearchView):
    """The form that freezes a release."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Choose project and purpose."""
        return self._page(self._form(initial={"project": request.GET.get("project")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Freeze; the same state gives the release that holds it already."""
        form = self._form(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            release, is_new = freeze_release(created_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        if is_new:
            messages.success(request, _("Release %(number)s is frozen.") % {"number": release.number})
        else:
            messages.info(request, _("Nothing changed since release %(number)s.") % {"number": release.number})
        return redirect("researcher:release", slug=self.community.slug, pk=release.pk)

    def _form(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> FreezeForm:
        projects = Project.objects.visible_to(self.person).filter(community=self.community)
        return FreezeForm(data, initial=initial, projects=projects)

    def _page(self, form: FreezeForm, *, status: int = 200) -> HttpResponse:
        context = {
            "community": self.community,
            "form": form,
            "projects": projects_with_usable(self.community, self.person),
        }
        return render(self.request, "researcher/freeze.html", context, status=status)


class OneRelease(ResearchView):
    """What all pages of one release share."""

    def release(self, pk: int) -> Release:
        """The release, if this person may see it."""
        visible = Release.objects.visible_to(self.person).filter(community=self.community)
        release: Release = get_object_or_404(visible.select_related("project", "created_by"), pk=pk)
        return release

    def page(self, release: Release, *, status: int = 200, **more: Any) -> HttpResponse:
        """The release's page."""
        withdrawn = release.items.filter(withdrawn_at__isnull=False)
        context = {
            "community": self.community,
            "release": release,
            "purpose": Purpose(release.purpose).label,
            "manifest": read_manifest(release),
            "card": read_card(release),
            "runs": Run.objects.visible_to(self.person).filter(release=release),
            # Where only a vote was taken back, the sentence was not.
            "withdrawn": withdrawn.exclude(pk__in=withdrawn.lost_votes_alone(release.purpose).values("pk")).count(),
            "replaced": release.items.filter(answer__batch_changes__is_undone=False).distinct().count(),
            "may_train": self.may_train,
            **more,
        }
        return render(self.request, "researcher/release.html", context, status=status)


class ReleaseView(OneRelease):
    """One release: counts, terms, hash, card, runs."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self.page(self.release(pk))


class VerifyView(OneRelease):
    """The release's page with the result of checking every hash."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check the files against the manifest, and the manifest against the database."""
        release = self.release(pk)
        return self.page(release, checked=True, problems=verify_release(release))


class DownloadView(OneRelease):
    """The release's folder as one file. Each download is written down, so it is not probed."""

    http_method_names = ("get", "options")

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The zip, unless words in it were withdrawn; each download writes a receipt."""
        release = self.release(pk)
        try:
            _receipt, file = take_home(release=release, taken_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(release, status=refusal.status, refusal=refusal)
        name = f"{self.community.slug}-release-{release.number}.zip"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        response.streaming_content = while_allowed(response.streaming_content, lambda: self._still(release))
        return response

    def _still(self, release: Release) -> bool:
        """Whether the person may read it now, and no words in it were withdrawn since the download began."""
        return Release.objects.visible_to(self.person).trainable().filter(pk=release.pk).exists()
