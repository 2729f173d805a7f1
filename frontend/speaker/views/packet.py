"""Taking a packet of tasks along, to be done without a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.projects.models import Assignment, Project
from annotation.projects.services import give_back_packet, lease_packet
from care.services import ConsentMissing, PolicyChanged
from frontend.desk import show_refusal
from frontend.kind_pages import kind_context
from frontend.speaker.forms import AnswerForm, TakeForm
from frontend.speaker.views.answering import AnsweringView
from people.models import Role
from people.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

# A page that is fetched again must know an answer that still waits on the device: its id follows from its task.
ANSWERS_OF_PACKETS = UUID("5d6c2f0e-3f0a-4a53-9a52-3d1f7cb3c6a1")


class PacketPage(AnsweringView):
    """A page about what the person took along of one project."""

    roles = (Role.SPEAKER,)

    def held(self, project: Project) -> Iterable[Assignment]:
        """The tasks that the person took along and has not answered, in their order."""
        mine = Assignment.objects.visible_to(self.person).taken_along(self.now).filter(task__project=project)
        shown = mine.shown_in(self.community)
        return shown.select_related("task__item__source__variety", "task__project__orthography").order_by("pk")

    def address_of(self, page: str, project: Project) -> str:
        """The address of one of the pages on packets."""
        return reverse(f"speaker:{page}", args=[self.community.slug, project.pk])


class TakeView(PacketPage):
    """Choosing how many tasks to take along."""

    template_name = "speaker/take.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a packet is, and how large it shall be."""
        project = self.project(pk)
        return self.page({"project": project, "form": TakeForm(), "held": len(list(self.held(project)))})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lease that many, and open them."""
        project, form = self.project(pk), TakeForm(request.POST)
        form.is_valid()
        try:
            size = form.cleaned_data.get("size") or 0
            lease_packet(project=project, person=self.person, size=size, now=self.now)
        except (ConsentMissing, PolicyChanged) as refusal:
            messages.info(request, str(refusal))
            return redirect(self.consent_address(request.path))
        except Refusal as refusal:
            status = show_refusal(form, refusal)
            return self.page({"project": project, "form": form}, status)
        return redirect(self.address_of("packet", project))


class PacketView(PacketPage):
    """All the tasks of a packet on one page, which the browser keeps; each form is sent on its own."""

    template_name = "speaker/packet.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The tasks, one form each."""
        project = self.project(pk)
        held = list(self.held(project))
        if not held:
            return redirect(self.address_of("take", project))
        context = {
            "project": project,
            "kind": project.task_kind,
            "tasks": [self._task(assignment) for assignment in held],
            "until": held[0].expires_at,
        }
        return self.page(context)

    def _task(self, assignment: Assignment) -> str:
        form = AnswerForm(
            initial={"assignment": assignment.pk, "client_id": uuid5(ANSWERS_OF_PACKETS, str(assignment.pk))},
            auto_id=f"id_{assignment.pk}_%s",
        )
        context: dict[str, Any] = {
            **kind_context(assignment.task, given={}, seed=assignment.pk),
            "community": self.community,
            "assignment": assignment,
            "form": form,
        }
        return render_to_string("speaker/_packet_task.html", context, request=self.request)


class GiveBackView(PacketPage):
    """Giving back what is left of a packet."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Others may have them; answers that are still on their way count all the same while nobody does."""
        project = self.project(pk)
        number = give_back_packet(project=project, person=self.person, now=self.now)
        said = ngettext("%(number)d task given back.", "%(number)d tasks given back.", number)
        messages.success(request, said % {"number": number} if number else _("You hold no packet of this project."))
        return redirect("speaker:home", slug=self.community.slug)
