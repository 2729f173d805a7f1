"""What members took back: what is done, what is due until when, and the adapters that have to go."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.models import Withdrawal
from frontend.cases import cases
from frontend.steward.views.home import StewardView
from people.refusals import Refusal
from training.lineage.services import end_adapter
from training.runs.models import Adapter
from training.runs.querysets import ENDED_WITHIN

PAGE = 20


class WithdrawalsView(StewardView):
    """The list. It does not say who: taking back needs no reason and no explaining."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        here = Withdrawal.objects.visible_to(self.person).filter(community=self.community)
        page = Paginator(here, PAGE).get_page(request.GET.get("page"))
        tainted = Adapter.objects.visible_to(self.person).filter(community=self.community).tainted()
        withdrawn = Count("run__release__items", filter=Q(run__release__items__withdrawn_at__isnull=False))
        rows = tainted.select_related("run__release").annotate(withdrawn=withdrawn).order_by("withdrawn_since")
        context = {
            "community": self.community,
            "page": page,
            "cases": cases(here.filter(pk__in=[row.pk for row in page]), now=self.now),
            "tainted": [(adapter, adapter.withdrawn_since + ENDED_WITHIN) for adapter in rows],
        }
        return render(request, "steward/withdrawals.html", context)


class EndAdapterView(StewardView):
    """Deleting an adapter whose words were taken back, before its time is over."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        self._adapter(pk)
        return redirect("steward:withdrawals", slug=self.community.slug)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Delete it."""
        try:
            end_adapter(adapter=self._adapter(pk), note="", ended_by=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Deleted. What it was and what it learnt from stays on record."))
        return redirect("steward:withdrawals", slug=self.community.slug)

    def _adapter(self, pk: int) -> Adapter:
        visible = Adapter.objects.visible_to(self.person).filter(community=self.community)
        adapter: Adapter = get_object_or_404(visible, pk=pk)
        return adapter
