"""How members check what others write: whose votes count, and what a steward may do about it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.guard.services import freeze_person, spare_person, unfreeze_person
from annotation.standing.models import KeptApart, Standing
from frontend.charts import interval_bar
from frontend.desk import show_refusal
from frontend.steward.forms import ReasonForm
from frontend.steward.queries import Checker, checkers_of
from frontend.steward.views.home import StewardView
from people.models import Person
from people.refusals import Refusal


class ChecksView(StewardView):
    """Everybody who checks, with what is known of their care."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        pairs = KeptApart.objects.visible_to(self.person).filter(community=self.community)
        context = {
            "community": self.community,
            "checkers": [(checker, _bar(checker)) for checker in checkers_of(self.community)],
            "pairs": pairs.select_related("reviewer", "author"),
        }
        return render(request, "steward/checkers.html", context)


class CheckerView(StewardView):
    """One member: what was done about their votes, and the forms to freeze, unfreeze or count again."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self._page(self._someone(pk), ReasonForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the button says, for the reason given."""
        someone = self._someone(pk)
        form = ReasonForm(request.POST)
        if not form.is_valid():
            return self._page(someone, form, status=422)
        about = {"person": someone, "community": self.community, "now": self.now, **form.cleaned_data}
        try:
            match request.POST.get("act"):
                case "unfreeze":
                    event = unfreeze_person(**about, unfrozen_by=self.person)
                case "count":
                    event = spare_person(**about, spared_by=self.person)
                case _:
                    event = freeze_person(**about, frozen_by=self.person)
        except Refusal as refusal:
            return self._page(someone, form, status=show_refusal(form, refusal))
        told = _("Done, and written into the record. Answers counted anew: %(number)s.")
        messages.success(request, told % {"number": event.requeued})
        return redirect("steward:checker", slug=self.community.slug, pk=someone.pk)

    def _someone(self, pk: int) -> Person:
        """Whoever is or was a member here."""
        found: Person = get_object_or_404(
            Person.objects.filter(memberships__community=self.community).distinct(), pk=pk
        )
        return found

    def _page(self, someone: Person, form: ReasonForm, *, status: int = 200) -> HttpResponse:
        visible = Standing.objects.visible_to(self.person).filter(community=self.community)
        checker = Checker(person=someone, standing=visible.filter(person=someone).first())
        context = {
            "community": self.community,
            "checker": checker,
            "bar": _bar(checker),
            "events": checker.standing.events.select_related("actor") if checker.standing else [],
            "form": form,
            "is_me": someone == self.person,
        }
        return render(self.request, "steward/checker.html", context, status=status)


def _bar(checker: Checker) -> str:
    """The interval as a bar; empty before there is any evidence."""
    skill = checker.standing.skill if checker.standing else None
    if skill is None or not skill.evidence:
        return ""
    low, high = skill.interval
    words = _("between %(low)s and %(high)s %%") % {"low": round(100 * low), "high": round(100 * high)}
    return interval_bar(low, skill.mean, high, words=words)
