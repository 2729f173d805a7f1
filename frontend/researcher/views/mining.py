"""What adapters find hard: asking for a reading, looking at it, and sending sentences back to people."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.projects.models import Project
from annotation.projects.ordering import hand_out_by_document
from frontend.desk import show_refusal
from frontend.researcher.dataset import spread
from frontend.researcher.mining_forms import MEASURE_WORDS, ProbeForm, SendBackForm, TrialForm
from frontend.researcher.views.home import ResearchView
from frontend.researcher.views.runs import STOP_POLLING
from people.models import Role
from people.refusals import Refusal
from training.mining.jobs import ring
from training.mining.models import Probe, Reading, Trial
from training.mining.querysets import ReadingQuerySet
from training.mining.services import (
    EXPERTS,
    FIRST,
    MORE,
    ask_for_probe,
    cancel_probe,
    measures_of,
    send_back,
)
from training.mining.worth import compare_adapters, order_worth
from training.recipes.configuration import WHOLE_MODELS
from training.runs.models import Adapter

AT_ONCE = 20
LATEST = 20


class HardView(ResearchView):
    """Readings so far, the form that asks for one, and what the order of urgent tasks was worth."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page; `?adapter=` chooses one beforehand."""
        return self._page(self._form(initial={"adapter": request.GET.get("adapter")}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask for a reading and wake a worker."""
        form = self._form(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            probe = ask_for_probe(asked_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        ring(probe)
        return redirect("researcher:probe", slug=self.community.slug, pk=probe.pk)

    def _form(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> ProbeForm:
        return ProbeForm(data, initial=initial, adapters=self._adapters())

    def _adapters(self) -> Any:
        adapters = Adapter.objects.visible_to(self.person).filter(community=self.community)
        readable = adapters.filter(withdrawn_since__isnull=True).exclude(run__method__in=WHOLE_MODELS)
        return readable.select_related("run__release__project").order_by("-created_at")

    def _page(self, form: ProbeForm, *, status: int = 200) -> HttpResponse:
        probes = Probe.objects.visible_to(self.person).filter(community=self.community).with_progress()
        projects = Project.objects.visible_to(self.person).filter(community=self.community)
        worths = [(project, order_worth(project, self.person)) for project in projects]
        context = {
            "community": self.community,
            "form": form,
            "has_adapters": self._adapters().exists(),
            "may_train": self.may_train,
            "probes": probes.select_related("project", "adapter__run", "rival__run").order_by("-asked_at")[:LATEST],
            "trials": Trial.objects.visible_to(self.person)
            .filter(community=self.community)
            .select_related("project")[:LATEST],
            "orders": [
                (project, worth) for project, worth in worths if project.control_share is not None or worth.has_begun
            ],
        }
        return render(self.request, "researcher/hard.html", context, status=status)


class OneProbe(ResearchView):
    """What all pages of one reading share."""

    def probe(self, pk: int) -> Probe:
        """The probe, if this person may see it."""
        visible = Probe.objects.visible_to(self.person).filter(community=self.community).with_progress()
        probe: Probe = get_object_or_404(
            visible.select_related("project__community", "adapter__run__release", "rival__run", "community"), pk=pk
        )
        return probe

    def readings(self, probe: Probe) -> ReadingQuerySet:
        """What it has read and the person may read, with what is shown of it."""
        if probe.adapter.contains_withdrawn:
            return Reading.objects.none()
        read = Reading.objects.filter(probe=probe, is_read=True).readable_by(self.person)
        return read.select_related("task__item__source", "task__project", "answer")

    def page(
        self,
        probe: Probe,
        *,
        form: SendBackForm | None = None,
        ticked: set[str] | None = None,
        trial_form: TrialForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The hardest sentences, by the measure that `?by=` names."""
        measures = measures_of(probe)
        by = self.request.GET.get("by", "")
        measure = by if by in measures else measures[0]
        hardest = self.readings(probe).hardest(measure)
        page = Paginator(hardest, AT_ONCE).get_page(self.request.GET.get("page"))
        compared = compare_adapters(list(self.readings(probe))) if probe.has_rival else None
        context = {
            "community": self.community,
            "probe": probe,
            "project": probe.project,
            "measure": measure,
            "measure_words": MEASURE_WORDS[measure],
            "measures": [(name, MEASURE_WORDS[name]) for name in measures],
            "page": page,
            "rows": [(reading, getattr(reading, measure)) for reading in page],
            "ticked": ticked or set(),
            "bars": spread(list(hardest.values_list(measure, flat=True))),
            "skipped": probe.readings.filter(is_read=True, entropy__isnull=True).count(),
            "compared": compared,
            "gains": spread([one.gain for one in self.readings(probe) if one.loss is not None]) if compared else None,
            "form": form or SendBackForm(probe=probe, measure=measure),
            "trial_form": trial_form or (self.trial_form(probe) if probe.can_be_tried else None),
            "may_train": self.may_train,
        }
        return render(self.request, "researcher/probe.html", context, status=status)

    def trial_form(self, probe: Probe, data: Any = None) -> TrialForm:
        """How people are asked which texts are better; other readings of the project may join in."""
        alike = Probe.objects.visible_to(self.person).filter(project=probe.project, of=probe.of, state=probe.state)
        others = alike.exclude(pk=probe.pk).filter(Q(beside_base=True) | Q(rival__isnull=False))
        named = _("Judging: %(title)s") % {"title": probe.project.title}
        loaded = others.select_related("adapter__run", "rival__run")[:LATEST]
        return TrialForm(
            data, initial={"title": named[:200]}, others=Probe.objects.filter(pk__in=[one.pk for one in loaded])
        )


class ProbeView(OneProbe):
    """One reading."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Look at it."""
        return self.page(self.probe(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send what was ticked back to people."""
        probe = self.probe(pk)
        form = SendBackForm(request.POST, probe=probe, measure=measures_of(probe)[0])
        ticked = {code for code in request.POST.getlist("chosen") if code.isdecimal()}
        if not form.is_valid():
            return self.page(probe, form=form, ticked=ticked, status=422)
        given = form.cleaned_data
        readings = self.readings(probe)
        if not given.get("everything"):
            readings = readings.filter(pk__in=ticked)
        try:
            number = send_back(
                probe=probe,
                readings=readings,
                way=given["way"],
                measure=given.get("measure", ""),
                sent_by=self.person,
                now=self.now,
                control_share=(given.get("percent") or 0) / 100,
            )
        except Refusal as refusal:
            return self.page(probe, form=form, ticked=ticked, status=show_refusal(form, refusal))
        if number:
            messages.success(request, _told(given["way"], number))
        else:
            messages.warning(request, _("Nothing was sent: these were changed, decided or asked about since."))
        return redirect("researcher:probe", slug=self.community.slug, pk=probe.pk)


def _told(way: str, number: int) -> str:
    words = {
        FIRST: ngettext("%(number)s task is handed out first.", "%(number)s tasks are handed out first.", number),
        EXPERTS: ngettext("%(number)s answer went to the experts.", "%(number)s answers went to the experts.", number),
        MORE: ngettext("%(number)s task is open again.", "%(number)s tasks are open again.", number),
    }
    return words[way] % {"number": number}


class LiveProbeView(OneProbe):
    """The part of a reading's page that changes, for htmx to put in place."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The fragment; once it is over, the whole page is fetched again."""
        probe = self.probe(pk)
        if probe.is_live:
            return render(request, "researcher/_probe_live.html", {"community": self.community, "probe": probe})
        response = HttpResponse(status=STOP_POLLING)
        response["HX-Refresh"] = "true"
        return response


class CancelProbeView(OneProbe):
    """Stopping a reading."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep what was read."""
        probe = self.probe(pk)
        try:
            cancel_probe(probe=probe, cancelled_by=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        return redirect("researcher:probe", slug=self.community.slug, pk=probe.pk)


class OrderView(ResearchView):
    """Going back to the order of the documents."""

    roles = (Role.RESEARCHER, Role.STEWARD)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it."""
        project = get_object_or_404(
            Project.objects.visible_to(self.person).filter(community=self.community).select_related("community"), pk=pk
        )
        hand_out_by_document(project=project, changed_by=self.person, now=self.now)
        messages.success(request, _("Tasks are handed out document by document again."))
        return redirect("researcher:hard", slug=self.community.slug)
