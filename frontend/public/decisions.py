"""What the community decides and decided, for every member: turnout, reasons, and those who thought otherwise."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from care.models import Decision, Proposal, Vote
from frontend.desk import DeskView
from people.refusals import said

PAGE = 30


class DecisionsView(DeskView):
    """Open votes, and the log of decisions, newest first."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        ours = Decision.objects.visible_to(self.person).filter(community=self.community)
        rows = ours.select_related("proposal").prefetch_related("proposal__votes")
        page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "open": Proposal.objects.visible_to(self.person).filter(community=self.community).open(),
            "page": page,
            "lines": [_line(decision) for decision in page.object_list],
        }
        return render(request, "public/decisions.html", context)


def _line(decision: Decision) -> dict[str, Any]:
    """A decision with its reason in words, and what those said who voted otherwise."""
    message, values = decision.reason
    winning = Vote.Choice.FOR if decision.outcome == "passed" else Vote.Choice.AGAINST
    votes = [vote for vote in decision.proposal.votes.all() if vote.reason]
    return {
        "decision": decision,
        "reason": said(message, values),
        "otherwise": [vote.reason for vote in votes if vote.choice != winning],
    }
