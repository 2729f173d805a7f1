"""What the pages with an answer to send have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View

from annotation.answers.findings import Look, NeedsALook, find, find_hints, in_words
from annotation.answers.services import checked
from annotation.projects.models import Project, Task
from annotation.text.findings import Finding
from care.reach import communities_ever_of
from care.services import ConsentMissing, PolicyChanged
from frontend.desk import DeskView, show_refusal
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, Refusal, TooLate
from people.tenants import widen

if TYPE_CHECKING:
    from collections.abc import Mapping


class AnsweringView(DeskView):
    """A page whose form is sent by `<answer-form>` where scripts run, and by the browser where they do not.

    The element asks for JSON: `{"next": address}` when the answer was stored, else `{"message", "field",
    "go"}` or `{"message", "warnings"}` with the refusal's status. The form on the page then stays as it is, so that
    nothing typed is lost.
    It names the `sender`, so that words are never sent under another person's name; somebody else, or nobody,
    gets 401. What comes `later` was written without a connection: nobody reads what is said to it.
    """

    template_name: str

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse what was not written by the person who is signed in."""
        if request.method == "POST" and not self._shows_pages(request):
            sender = request.POST.get("sender", "")
            if not request.user.is_authenticated or sender not in ("", str(request.user.pk)):
                return JsonResponse({"message": _("You are signed out.")}, status=401)
        return super().dispatch(request, *args, **kwargs)

    def page(self, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
        """The page with the community, whose language its fields are written in."""
        return render(self.request, self.template_name, {"community": self.community, **context}, status=status)

    def stored(self, address: str, said: str = "") -> HttpResponse:
        """It was stored: go on to the next page, which says so; in the feed, to whatever comes next there."""
        if self.request.GET.get("feed"):
            address = reverse("speaker:next", args=[self.community.slug])
        # A packet stays on its page, and what was written before has no page any more.
        if said and not (self.request.POST.get("later") or self.request.GET.get("packet")):
            messages.success(self.request, said)
        return redirect(address) if self._shows_pages(self.request) else JsonResponse({"next": address, "said": said})

    def refused(self, form: forms.Form, refusal: Refusal, context: Mapping[str, Any], *, back: str) -> HttpResponse:
        """It was refused: say why beside the form, and where to go on."""
        if isinstance(refusal, NeedsALook):
            return self._warned(form, refusal, context)
        status = show_refusal(form, refusal)
        go = self._way_on(refusal, back)
        if self._shows_pages(self.request):
            return self.page({**context, "form": form, "go": go}, status)
        message = {"message": str(refusal), "field": getattr(refusal, "field", ""), "go": go}
        return JsonResponse(message, status=status)

    def _warned(self, form: forms.Form, refusal: NeedsALook, context: Mapping[str, Any]) -> HttpResponse:
        """Something was noticed: list it, with the box to tick for sending it all the same."""
        if self._shows_pages(self.request):
            hints = find_hints(context["project"], form.data.get("text", ""))
            return self.page({**context, **_shown(refusal.findings, hints), "form": form}, refusal.status)
        return JsonResponse({"message": str(refusal), "warnings": refusal.warnings}, status=refusal.status)

    def looked_over(self, form: forms.Form, task: Task, context: Mapping[str, Any], *, back: str) -> HttpResponse:
        """The page again with what is noticed in its text, which is stored nowhere."""
        try:
            written = checked(task, *task.project.task_kind.from_form(dict(self.request.POST.lists())))
        except Refusal as refusal:
            return self.refused(form, refusal, context, back=back)
        found = find(task=task, author=self.person, written=written, now=self.now)
        shown = _shown(found, find_hints(task.project, written.text))
        return self.page({**context, **shown, "form": form, "is_looked_over": True})

    def look(self) -> Look:
        """What the person has ticked on the form: findings that were shown, to be sent as they are."""
        ticked = [key for keys in self.request.POST.getlist("confirmed") for key in _keys(keys)]
        return Look(frozenset(ticked), later=bool(self.request.POST.get("later")))

    def malformed(self, form: forms.Form, context: Mapping[str, Any], *, back: str) -> HttpResponse:
        """A part of the form was missing or unreadable."""
        first = str(next(iter(form.errors.values()))[0])
        return self.refused(form, Invalid(first), context, back=back)

    def project(self, pk: int) -> Project:
        """The project of this community with that number."""
        projects = Project.objects.visible_to(self.person).filter(community=self.community)
        project: Project | None = projects.select_related("orthography", "variety").filter(pk=pk).first()
        if project is None:
            raise Http404("No such page.")
        return project

    def given(self, project: Project) -> Mapping[str, Any]:
        """The payload of the form that was sent, so that a refused one is shown again as it was filled in."""
        return project.task_kind.from_form(dict(self.request.POST.lists()))[1] if self.request.POST else {}

    def consent_address(self, back: str) -> str:
        """The consent page, which leads back here."""
        return f"{reverse('speaker:consent', args=[self.community.slug])}?{urlencode({'next': back})}"

    @staticmethod
    def _shows_pages(request: HttpRequest) -> bool:
        return request.accepts("text/html")

    def _way_on(self, refusal: Refusal, back: str) -> dict[str, str] | None:
        if isinstance(refusal, ConsentMissing | PolicyChanged):
            return {"url": self.consent_address(back), "text": _("Read and choose, then send again")}
        if isinstance(refusal, Conflicting | TooLate):
            return {"url": back, "text": _("Go on")}
        return None


def _shown(found: list[Finding], hints: list[Finding]) -> dict[str, Any]:
    return {
        "warnings": [in_words(finding) for finding in found],
        "confirm": json.dumps([finding.key for finding in found]),
        "hints": [in_words(hint) for hint in hints],
    }


def _keys(ticked: str) -> list[str]:
    """The keys in the value of the box; nothing when somebody sent something else."""
    try:
        keys = json.loads(ticked)
    except (ValueError, RecursionError):
        return []
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


class OwnWordsView(AnsweringView):
    """A page about one's own words: for those who have left the community too, as the words stay theirs."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Load the community when the person is a member, or ever agreed to a use of their words there."""
        if not isinstance(request.user, Person):
            return self.handle_no_permission()
        self.person = request.user
        slug = kwargs.pop("slug")
        community = Community.objects.visible_to(self.person).filter(slug=slug).first()
        if community is None:
            widen(*communities_ever_of(self.person))
            community = Community.objects.filter(receipts__person=self.person, slug=slug).distinct().first()
        if community is None:
            raise Http404("No such page.")
        self.community = community
        return View.dispatch(self, request, *args, **kwargs)

    @property
    def is_member(self) -> bool:
        """Whether the person belongs to the community now."""
        return Community.objects.visible_to(self.person).filter(pk=self.community.pk).exists()
