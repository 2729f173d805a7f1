"""What I downloaded of releases as a member, also of communities that I have left, and what of it is to be deleted."""

from __future__ import annotations

from django.db.models import QuerySet

from frontend.copies import CopiesPage, own_notices
from frontend.me.views import MeView
from training.releases.models import Download
from training.releases.querysets import NoticeQuerySet


class MyCopiesView(CopiesPage, MeView):
    """One's own, and nobody else's."""

    template = "me/copies.html"

    def downloads(self) -> QuerySet[Download]:
        """As a member; what was downloaded under an agreement stands on its page."""
        return Download.objects.filter(person=self.person, agreement__isnull=True)

    def notices(self) -> NoticeQuerySet:
        """On those."""
        return own_notices(self.person)
