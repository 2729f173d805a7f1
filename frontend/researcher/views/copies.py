"""What members took home of the community's words, and what becomes of it when some are taken back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from frontend.copies import CopiesPage, notices_in
from frontend.researcher.views.home import ResearchView
from people.models import Role
from people.services import has_role
from training.releases.models import Download
from training.releases.querysets import NoticeQuerySet


class CopiesView(CopiesPage, ResearchView):
    """What one took home, a steward also what others did, and what of it is to be deleted."""

    template = "researcher/copies.html"

    def downloads(self) -> QuerySet[Download]:
        """Those of members."""
        rows = Download.objects.filter(release__community=self.community, agreement__isnull=True)
        return rows if has_role(self.person, self.community, Role.STEWARD) else rows.filter(person=self.person)

    def notices(self) -> NoticeQuerySet:
        """On those."""
        return notices_in(self.community, self.person)

    def about(self) -> dict[str, Any]:
        """Whose they are."""
        return {"community": self.community}
