"""The consent text: publishing a version, and reading old ones."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.deciding import DecisionNeeded
from care.models import Policy, PolicyDraft, Purpose, Rendering
from care.renderings import keep_draft, renderings_of_draft, write_rendering
from care.services import NOWHERE, publish_policy, published_policy, terms_of, terms_to_agree
from frontend.desk import show_refusal
from frontend.steward.policy_forms import PolicyForm, RenderingForm
from frontend.steward.views.home import StewardView
from people.models import Community
from people.refusals import Refusal


class ConsentView(StewardView):
    """The text in force, the form for the next version, and all versions."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Start from the draft, else from the text in force."""
        current = PolicyDraft.objects.filter(community=self.community).first() or published_policy(self.community)
        if current is None:
            return self._page(PolicyForm())
        changes = "yes" if isinstance(current, Policy) or current.is_material else ""
        initial = {"text": current.text, "purposes": current.purposes, "is_material": changes}
        return self._page(PolicyForm(initial={**initial, **_known(current.terms)}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it as a draft, or publish the next version."""
        form = PolicyForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        given = {
            "community": self.community,
            "text": form.cleaned_data["text"],
            "purposes": form.cleaned_data["purposes"],
            "terms": form.terms,
            "is_material": form.cleaned_data["is_material"],
            "now": self.now,
        }
        try:
            if "draft" in request.POST:
                keep_draft(kept_by=self.person, **given)
                messages.success(request, _("Kept as a draft. Nobody is asked to agree to it yet."))
                return redirect("steward:consent", slug=self.community.slug)
            policy = publish_policy(published_by=self.person, waiver=form.cleaned_data["waiver"], **given)
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
            "draft": PolicyDraft.objects.filter(community=self.community).first(),
            "renderings": renderings_of_draft(self.community).select_related("written_by", "checked_by"),
            "rendered": _language_is_rendered(self.community),
            "policy": published_policy(self.community),
            "versions": self.community.policies.select_related("created_by").order_by("-version"),
        }
        return render(self.request, "steward/consent.html", context, status=status)


class RenderingView(StewardView):
    """Writing the draft in the community's language."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Begin with what is there."""
        draft = get_object_or_404(PolicyDraft, community=self.community)
        written = renderings_of_draft(self.community).filter(language=self.community.language_tag).first()
        initial = {"text_sha256": draft.text_sha256, "rendering": written.text if written else ""}
        return self._page(draft, RenderingForm(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store it, for a second speaker to check."""
        draft = get_object_or_404(PolicyDraft, community=self.community)
        form = RenderingForm(request.POST)
        if not form.is_valid():
            return self._page(draft, form, status=422)
        try:
            write_rendering(
                community=self.community,
                text_sha256=form.cleaned_data["text_sha256"],
                language=self.community.language_tag,
                text=form.cleaned_data["rendering"],
                written_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            return self._page(draft, form, status=show_refusal(form, refusal))
        messages.success(request, _("Stored. Speakers are asked on their desk whether it says the same."))
        return redirect("steward:consent", slug=self.community.slug)

    def _page(self, draft: PolicyDraft, form: RenderingForm, *, status: int = 200) -> HttpResponse:
        context = {"community": self.community, "draft": draft, "form": form}
        return render(self.request, "steward/rendering.html", context, status=status)


def _language_is_rendered(community: Community) -> bool:
    return renderings_of_draft(community).filter(language=community.language_tag).exists()


def _known(terms: Mapping[str, object]) -> dict[str, object]:
    """The terms, without the placeholders of those that nobody has written."""
    return {name: value for name, value in terms.items() if value not in ("–", NOWHERE, [NOWHERE])}


class VersionView(StewardView):
    """One version of the consent text, in force or replaced."""

    opens_to_glass = True

    def get(self, request: HttpRequest, version: int) -> HttpResponse:
        """Read it."""
        versions = Policy.objects.filter(community=self.community).select_related("created_by")
        policy = get_object_or_404(versions, version=version)
        labels = [Purpose(purpose).label for purpose in policy.purposes]
        context = {
            "community": self.community,
            "policy": policy,
            "labels": labels,
            "terms": terms_of(policy),
            "renderings": Rendering.objects.filter(community=self.community, sha256__in=policy.renderings),
        }
        return render(request, "steward/consent_version.html", context)
