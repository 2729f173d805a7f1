"""What members took home of the community's words, and what becomes of it when some are taken back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from frontend.researcher.queries import notices_for
from frontend.researcher.views.home import ResearchView
from people.models import Role
from people.refusals import Refusal
from people.services import has_role
from training.releases.models import Download
from training.releases.notices import answer_notice

NEWEST = 50


class CopiesView(ResearchView):
    """What one took home, a steward also what others did, and what of it is to be deleted."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say what became of one."""
        number = request.POST.get("notice", "")
        key = int(number) if number.isdecimal() and len(number) < 19 else 0
        notice = get_object_or_404(notices_for(self.person, self.community), pk=key)
        try:
            answer_notice(
                notice=notice,
                answer=request.POST.get("answer", ""),
                words=request.POST.get("words", ""),
                answered_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            return self._page(status=refusal.status, refusal=refusal, refused=notice.pk)
        messages.success(request, _("Thank you. It is written down."))
        return redirect("researcher:copies", slug=self.community.slug)

    def _page(self, *, status: int = 200, **more: Any) -> HttpResponse:
        notices = notices_for(self.person, self.community)
        downloads = Download.objects.filter(release__community=self.community, agreement__isnull=True)
        if not has_role(self.person, self.community, Role.STEWARD):
            downloads = downloads.filter(person=self.person)
        context = {
            "community": self.community,
            "notices": notices,
            "overdue": {row.pk for row in notices.overdue(self.now)},
            "downloads": downloads.select_related("release", "person", "notice")[:NEWEST],
            "typed": self.request.POST.get("words", ""),
            **more,
        }
        return render(self.request, "researcher/copies.html", context, status=status)
