"""How far the people of a project agree, for experts and researchers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.aggregation import agreement as measures
from annotation.aggregation.agreement import Agreement
from annotation.conflicts.agreement import Group, agreement_of
from annotation.projects.models import Project
from frontend.desk import DeskView
from people.models import Role

NAMES: Mapping[str, Any] = MappingProxyType(
    {
        "krippendorff_alpha_nominal": _("Krippendorff’s alpha"),
        "krippendorff_alpha_ordinal": _("Krippendorff’s alpha, in steps"),
        "cohen_kappa": _("Cohen’s kappa"),
        "span_f1": _("the same spans (F1)"),
        "span_f1_partial": _("spans that overlap"),
        "span_gamma": _("gamma of spans"),
    }
)
REASONS: Mapping[str, Any] = MappingProxyType(
    {
        measures.NO_PAIRS: _("Nobody voted on an item that somebody else voted on, too."),
        measures.ONE_LABEL: _("Everybody said the same everywhere, so chance would agree as well."),
        measures.NO_SPANS: _("Nobody marked anything."),
    }
)
ABOUT: Mapping[str, Any] = MappingProxyType(
    {
        "all": _("All together"),
        "label": _("By label"),
        "variety": _("By variety"),
        "month": _("By month"),
        "pair": _("Pair by pair"),
    }
)


class AgreementView(DeskView):
    """The projects of the community, or the agreement within one of them."""

    roles = (Role.EXPERT, Role.RESEARCHER)

    def get(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Bars from 0 to 1 with their intervals; the numbers beside them."""
        projects = Project.objects.visible_to(self.person).filter(community=self.community).order_by("title")
        context: dict[str, Any] = {"community": self.community, "projects": projects}
        if pk is not None:
            project = get_object_or_404(projects, pk=pk)
            found = agreement_of(project)
            context |= {
                "project": project,
                "parts": [
                    (gettext("Verdicts on answers"), _sections(found["verdicts"])),
                    (gettext("Answers to the same task"), _sections(found.get("answers", []))),
                ],
            }
        return render(request, "expert/agreement.html", context)


def _sections(groups: list[Group]) -> list[dict[str, Any]]:
    """The groups under their headings, in the order of ABOUT."""
    sections = []
    for about, heading in ABOUT.items():
        rows = [_row(group, one) for group in groups if group.about == about for one in group.measures]
        if rows:
            sections.append({"heading": heading, "rows": rows})
    return sections


def _row(group: Group, one: Agreement) -> dict[str, Any]:
    row: dict[str, Any] = {"name": group.name, "measure": NAMES.get(one.name, one.name), "items": one.items}
    if one.value is None:
        return row | {"why": REASONS.get(one.undefined, one.undefined)}
    low, high = (one.value if bound is None else bound for bound in (one.low, one.high))
    return row | {
        "value": one.value,
        "low": low,
        "high": high,
        "x": _place(one.value),
        "from": _place(low),
        "width": max(_place(high) - _place(low), 1),
    }


def _place(value: float) -> int:
    """Where a value stands on a bar of 200 from −0.2 to 1."""
    return round(200 * (min(max(value, -0.2), 1.0) + 0.2) / 1.2)
