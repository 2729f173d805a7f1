"""A run on another machine: taking it there, and bringing back what was made of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from frontend.researcher.views.runs import OneRun
from people.handing import while_allowed
from people.models import Role
from people.refusals import Invalid, Refusal
from training.releases.models import Release
from training.runs.beside import releases_behind
from training.runs.elsewhere import bring_back, take_elsewhere
from training.runs.jobs import ring_comparison


class TakeView(OneRun):
    """Everything that another machine needs for a run, as one file."""

    roles = (Role.RESEARCHER,)

    def post(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The zip; each is entered in the record, and the run waits for no worker here any more."""
        run = self.run(pk)
        try:
            file = take_elsewhere(run=run, taken_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(run, status=refusal.status, refusal=refusal)
        behind = [release.pk for release in releases_behind(run)]
        name = f"{self.community.slug}-run-{run.number}-elsewhere.zip"
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        response.streaming_content = while_allowed(response.streaming_content, lambda: self._still(behind))
        response.headers["Cache-Control"] = "no-store"
        return response

    def _still(self, behind: list[int]) -> bool:
        """Whether the person may read all of it now, and no words in it were withdrawn since the download began."""
        usable = Release.objects.visible_to(self.person).trainable().filter(pk__in=behind)
        return bool(usable.count() == len(behind))


class BackView(OneRun):
    """What another machine made of a run."""

    roles = (Role.RESEARCHER,)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Check it, and finish the run with it."""
        run = self.run(pk)
        file = request.FILES.get("file")
        try:
            if file is None:
                raise Invalid("Choose the zip with what the other machine made.")
            adapter = bring_back(run=run, file=file, brought_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(run, status=refusal.status, refusal=refusal)
        if run.grid_id is None:
            ring_comparison(adapter)
        messages.success(request, _("The run is finished, with what the other machine made."))
        return redirect("researcher:run", slug=self.community.slug, pk=run.pk)
