"""What became of a community's words, in numbers that name nobody: for its members, for anybody where it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from annotation.answers.models import Answer
from care.benefits import register_of
from care.models import Agreement, BrokenGlass, Decision, Grant, HarmReport, Purpose, Receipt
from frontend.energy import told_of_run
from people.models import Community, Person
from people.tenants import widen
from training.mining.preferred import preferred_of
from training.releases.models import Download, Release
from training.runs.energy import spent_in
from training.runs.findings import findings_of
from training.runs.models import Adapter, Run

MONTHS = 12
# A number about fewer people tells what one of them did.
FEWEST = 3


@dataclass(frozen=True)
class Month:
    """What was written in one month; `share` of the fullest one, in percent, is the length of its bar.

    All is None where fewer than `FEWEST` people wrote.
    """

    begins: Any
    answers: int | None
    people: int | None
    share: int | None


class TransparencyView(View):
    """One page; a community that is closed to others is closed here, too."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Read it."""
        person = request.user if isinstance(request.user, Person) else None
        seen = Community.objects.visible_to(person) if person else Community.objects.none()
        community = seen.filter(slug=slug).first() or Community.objects.joinable().filter(slug=slug).first()
        if community is None and person is None:
            return redirect_to_login(request.get_full_path())
        if community is None:
            raise Http404("No such page.")
        widen(community.pk)
        is_member = bool(person) and seen.filter(pk=community.pk).exists()
        return self._page(request, community, is_member)

    def _page(self, request: HttpRequest, community: Community, is_member: bool) -> HttpResponse:
        context = {
            "community": community,
            "is_member": is_member,
            "written": written(community),
            "months": months(community),
            "releases": releases(community),
            "runs": runs(community),
            "adapters": adapters(community),
            "decisions": decisions(community),
            "taken_back": taken_back(community),
            "reports": reports(community),
            "benefits": register_of(community),
            "access": access(community),
        }
        return render(request, "public/transparency.html", context)


def written(community: Community) -> dict[str, int]:
    """Answers by what became of them, and the people who wrote them."""
    ours = Answer.objects.of_community(community)
    return ours.aggregate(
        answers=Count("pk", filter=~Q(state=Answer.State.WITHDRAWN)),
        validated=Count("pk", filter=Q(state=Answer.State.VALIDATED)),
        people=Count("author", filter=~Q(state=Answer.State.WITHDRAWN), distinct=True),
    )


def months(community: Community) -> list[Month]:
    """The last months in which something was written, oldest first."""
    ours = Answer.objects.of_community(community).exclude(state=Answer.State.WITHDRAWN)
    rows = list(
        ours.annotate(month=TruncMonth("created_at"))
        .order_by()
        .values("month")
        .annotate(answers=Count("pk"), people=Count("author", distinct=True))
        .order_by("-month")[:MONTHS]
    )
    most = max((row["answers"] for row in rows if row["people"] >= FEWEST), default=1)
    return [
        Month(row["month"], row["answers"], row["people"], round(100 * row["answers"] / most))
        if row["people"] >= FEWEST
        else Month(row["month"], None, None, None)
        for row in reversed(rows)
    ]


def releases(community: Community) -> list[dict[str, Any]]:
    """What was frozen, for which purpose, and what was made from it."""
    rows = Release.objects.filter(community=community).annotate(
        items_count=Count("items", distinct=True),
        runs_count=Count("runs", distinct=True),
        adapters_count=Count("runs__adapter", distinct=True),
    )
    return [{"row": row, "purpose": Purpose(row.purpose).label} for row in rows.order_by("-number")]


def runs(community: Community) -> dict[str, Any]:
    """How often models were trained, and what that took: measured where machines have meters, else estimated."""
    # What goes on after a withdrawal trained nothing.
    trained = Run.objects.filter(community=community).exclude(trigger=Run.Trigger.WITHDRAWAL)
    counts = trained.aggregate(all=Count("pk"), done=Count("pk", filter=Q(state=Run.State.FINISHED)))
    return {**counts, "spent": told_of_run(spent_in(community))}


def adapters(community: Community) -> list[dict[str, Any]]:
    """Every adapter: whose words it holds in numbers, how it measures, what people prefer and what was found of it,
    whether it is in use."""
    usable = set(Adapter.objects.usable().filter(community=community).values_list("pk", flat=True))
    loaded = Adapter.objects.filter(community=community).select_related("run__release__project", "community")
    rows = list(loaded.order_by("-created_at"))
    found, preferred = findings_of(rows), preferred_of(rows)
    return [
        {
            "row": row,
            "is_used": row.pk in usable,
            "counts": row.run.release.counts,
            "findings": found[row.pk],
            "preferred": preferred[row.pk],
        }
        for row in rows
    ]


def decisions(community: Community) -> dict[str, int]:
    """Decisions by what became of them."""
    ours = Decision.objects.filter(community=community)
    return ours.aggregate(
        all=Count("pk"),
        in_force=Count("pk", filter=Q(state="in_force")),
        rejected=Count("pk", filter=Q(outcome="rejected")),
        suspended=Count("pk", filter=Q(state="suspended")),
    )


def access(community: Community) -> dict[str, int]:
    """Agreements with people outside, and the downloads under them."""
    return {
        "active": Agreement.objects.filter(community=community, state="active").count(),
        "ended": Agreement.objects.filter(community=community, state__in=["expired", "revoked", "closed"]).count(),
        "downloads": Download.objects.filter(agreement__community=community).count(),
    }


def reports(community: Community) -> dict[str, int]:
    """Reports of harm by how far they are, and how often the platform's staff looked in."""
    states = HarmReport.State
    over = [states.DECIDED, states.REMEDIED, states.CLOSED]
    counted = HarmReport.objects.filter(community=community).aggregate(
        all=Count("pk"),
        decided=Count("pk", filter=Q(state__in=over)),
        open=Count("pk", filter=~Q(state__in=over)),
    )
    return {**counted, "looked_in": BrokenGlass.objects.filter(community=community).count()}


def taken_back(community: Community) -> dict[str, int]:
    """Withdrawals, and how far they reached."""
    receipts = Receipt.objects.filter(community=community)
    return {
        "answers": Answer.objects.of_community(community).filter(state=Answer.State.WITHDRAWN).count(),
        "purposes": Grant.objects.filter(receipt__in=receipts, withdrawn_at__isnull=False).count(),
        "releases": Release.objects.filter(community=community, withdrawn_since__isnull=False).count(),
        "adapters": Adapter.objects.filter(community=community, withdrawn_since__isnull=False).count(),
    }
