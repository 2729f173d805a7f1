"""The consent text: publishing a version, and reading old ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.deciding import DecisionNeeded
from care.models import Policy, PolicyDraft, Purpose, Rendering
from care.renderings import (
    keep_draft,
    language_to_render,
    renderings_of_draft,
    renderings_to_read,
    write_rendering,
)
from care.services import NOWHERE, publish_policy, published_policy, terms_of, terms_to_agree
from frontend.desk import show_refusal
from frontend.languages import languages_of, name_of_language, named
from frontend.steward.policy_forms import OtherLanguageForm, PolicyForm, RenderingForm
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
        written = _draft_renderings(self.community)
        tags = {rendering.language for _, rendering in written}
        context = {
            "community": self.community,
            "form": form,
            "needed": needed,
            "needed_terms": json.dumps(terms_to_agree(self.community, form.terms)) if needed else "",
            "draft": PolicyDraft.objects.filter(community=self.community).first(),
            "renderings": written,
            "unwritten": {tag: name for tag, name in languages_of(self.community).items() if tag not in tags},
            "other": OtherLanguageForm(),
            "policy": published_policy(self.community),
            "versions": self.community.policies.select_related("created_by", "decision").order_by("-version"),
        }
        return render(self.request, "steward/consent.html", context, status=status)


class RenderingView(StewardView):
    """Writing the draft in the community's language, in a variety, or in another language."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Begin with what is there; without a language that can be one, ask for it."""
        draft = get_object_or_404(PolicyDraft, community=self.community)
        chosen = OtherLanguageForm({"language": request.GET.get("language", self.community.language_tag)})
        if not chosen.is_valid():
            return self._choose(chosen, status=422)
        language = language_to_render(self.community, chosen.cleaned_data["language"])
        written = self._written(language)
        text = written.text if written else ""
        initial = {"text_sha256": draft.text_sha256, "language": language, "rendering": text}
        return self._page(draft, language, self._form(language, initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store it, for a second speaker to check."""
        draft = get_object_or_404(PolicyDraft, community=self.community)
        language = request.POST.get("language") or self.community.language_tag
        form = self._form(language, {**request.POST.dict(), "language": language})
        if not form.is_valid():
            return self._page(draft, language, form, status=422)
        try:
            write_rendering(
                community=self.community,
                text_sha256=form.cleaned_data["text_sha256"],
                language=language,
                text=form.cleaned_data["rendering"],
                answer=form.cleaned_data.get("answer", ""),
                written_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            return self._page(draft, language, form, status=show_refusal(form, refusal))
        messages.success(request, _("Stored. Speakers are asked on their desk whether it says the same."))
        return redirect("steward:consent", slug=self.community.slug)

    def _written(self, language: str) -> Rendering | None:
        return renderings_of_draft(self.community).filter(language=language).first()

    def _form(self, language: str, *args: Any, **kwargs: Any) -> RenderingForm:
        written, name = self._written(language), name_of_language(self.community, language)
        return RenderingForm(*args, name=name, is_objected=bool(written and written.is_objected), **kwargs)

    def _page(self, draft: PolicyDraft, language: str, form: RenderingForm, *, status: int = 200) -> HttpResponse:
        written = self._written(language)
        context = {
            "community": self.community,
            "draft": draft,
            "form": form,
            "language": language,
            "name": name_of_language(self.community, language),
            "objections": written.objections.select_related("objected_by", "answered_by") if written else [],
        }
        return render(self.request, "steward/rendering.html", context, status=status)

    def _choose(self, form: OtherLanguageForm, *, status: int = 200) -> HttpResponse:
        context = {"community": self.community, "other": form}
        return render(self.request, "steward/rendering.html", context, status=status)


def _draft_renderings(community: Community) -> list[tuple[str, Rendering]]:
    """Each rendering of the draft, by the name of its language: the community's own first."""
    written = renderings_of_draft(community).select_related("written_by", "checked_by")
    found = written.prefetch_related("objections__objected_by", "objections__answered_by")
    return named(community, sorted(found, key=lambda one: one.language != community.language_tag))


def _known(terms: Mapping[str, object]) -> dict[str, object]:
    """The terms, without the placeholders of those that nobody has written."""
    return {name: value for name, value in terms.items() if value not in ("–", NOWHERE, [NOWHERE])}


class VersionView(StewardView):
    """One version of the consent text, in force or replaced."""

    opens_to_glass = True

    def get(self, request: HttpRequest, version: int) -> HttpResponse:
        """Read it."""
        versions = Policy.objects.filter(community=self.community).select_related("created_by", "decision")
        policy = get_object_or_404(versions, version=version)
        labels = [Purpose(purpose).label for purpose in policy.purposes]
        context = {
            "community": self.community,
            "policy": policy,
            "labels": labels,
            "terms": terms_of(policy),
            "renderings": named(self.community, renderings_to_read(policy, [])),
        }
        return render(request, "steward/consent_version.html", context)
