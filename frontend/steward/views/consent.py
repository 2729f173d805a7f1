"""The consent text: publishing a version, and reading old ones."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.deciding import DecisionNeeded
from care.models import Policy, Purpose
from care.services import NOWHERE, publish_policy, published_policy, terms_of, terms_to_agree
from frontend.desk import show_refusal
from frontend.steward.policy_forms import PolicyForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal


class ConsentView(StewardView):
    """The text in force, the form for the next version, and all versions."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Start from the text in force."""
        current = published_policy(self.community)
        initial = {"text": current.text, "purposes": current.purposes, **_known(current)} if current else {}
        return self._page(PolicyForm(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Publish the next version."""
        form = PolicyForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            policy = publish_policy(
                community=self.community,
                text=form.cleaned_data["text"],
                purposes=form.cleaned_data["purposes"],
                terms=form.terms,
                is_material=form.cleaned_data["is_material"],
                published_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            needed = refusal if isinstance(refusal, DecisionNeeded) else None
            return self._page(form, status=show_refusal(form, refusal), needed=needed)
        told = (
            _("Version %(number)s is in force. Everybody is asked again before their next contribution.")
            if policy.is_material
            else _("Version %(number)s is in force. What people agreed to stays valid.")
        )
        messages.success(request, told % {"number": policy.version})
        return redirect("steward:consent", slug=self.community.slug)

    def _page(self, form: PolicyForm, *, status: int = 200, needed: DecisionNeeded | None = None) -> HttpResponse:
        context = {
            "community": self.community,
            "form": form,
            "needed": needed,
            "needed_terms": json.dumps(terms_to_agree(self.community, form.terms)) if needed else "",
            "policy": published_policy(self.community),
            "versions": self.community.policies.select_related("created_by").order_by("-version"),
        }
        return render(self.request, "steward/consent.html", context, status=status)


def _known(policy: Policy) -> dict[str, object]:
    """The terms in force, without the placeholders of those that nobody has written."""
    terms = policy.terms
    return {name: value for name, value in terms.items() if value not in ("–", NOWHERE, [NOWHERE])}


class VersionView(StewardView):
    """One version of the consent text, in force or replaced."""

    opens_to_glass = True

    def get(self, request: HttpRequest, version: int) -> HttpResponse:
        """Read it."""
        versions = Policy.objects.filter(community=self.community).select_related("created_by")
        policy = get_object_or_404(versions, version=version)
        labels = [Purpose(purpose).label for purpose in policy.purposes]
        context = {"community": self.community, "policy": policy, "labels": labels, "terms": terms_of(policy)}
        return render(request, "steward/consent_version.html", context)
