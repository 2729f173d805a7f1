"""Agreeing to what one's words are used for, and taking it back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from care.ages import band_of, is_asked_again, must_say_age
from care.models import NEEDED, Policy, PolicyDraft, Purpose, Receipt, Rendering
from care.records import signed_receipt, signing_seed
from care.renderings import check_rendering, renderings_to_check, renderings_to_read
from care.services import current_receipt, is_outdated, published_policy, terms_of
from frontend.desk import DeskView, show_refusal
from frontend.languages import languages_of_reader, named
from frontend.speaker.forms import ConsentForm, RenderingCheckForm, WithdrawConsentForm
from frontend.speaker.purposes import choices_of
from frontend.speaker.queries import purposes_allowed, reach_of_consent
from frontend.speaker.views.answering import OwnWordsView
from people.models import Community, Person, Role
from people.refusals import Refusal
from training.runs.withdrawals import change_consent, withdraw_consent

PRETTY = {"indent": 1, "ensure_ascii": False}


@dataclass(frozen=True)
class Standing:
    """How a person stands to the policy in force: what they allow under it, and what it still offers them."""

    policy: Policy | None
    receipt: Receipt | None
    allowed: list[str]
    kept: list[str]
    offered: list[str]

    @property
    def is_changed(self) -> bool:
        """Whether the person agreed to an earlier text."""
        return bool(self.receipt and self.policy and is_outdated(self.receipt))


def standing_of(person: Person, community: Community) -> Standing:
    """How the person stands to the community's policy now."""
    policy, receipt = published_policy(community), current_receipt(person, community)
    allowed = purposes_allowed(person, community)
    holds = bool(policy and receipt and not is_outdated(receipt) and not is_asked_again(person, community))
    live = set(receipt.grants.live().values_list("purpose", flat=True)) if receipt else set()
    kept = [purpose for purpose in allowed if holds and purpose in live]
    offered = [purpose for purpose in policy.purposes if purpose not in kept] if policy else []
    return Standing(policy=policy, receipt=receipt, allowed=allowed, kept=kept, offered=offered)


class ConsentView(OwnWordsView):
    """The policy in force, my receipt, and what else I may allow."""

    template_name = "speaker/consent.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """The text, the receipt, the form; before them the question of age, where the community asks."""
        if self.is_member and must_say_age(self.person, self.community):
            query = request.GET.urlencode()
            address = reverse("speaker:age", args=[self.community.slug])
            return redirect(f"{address}?{query}" if query else address)
        standing = standing_of(self.person, self.community)
        form = ConsentForm(offered=standing.offered, kept=standing.kept)
        return self.page(self._context(standing, form, ticked=()))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store a receipt for what was chosen."""
        standing = standing_of(self.person, self.community)
        if not self.is_member or standing.policy is None:
            raise Http404("No such page.")
        form = ConsentForm(request.POST, offered=standing.offered, kept=standing.kept)
        ticked = request.POST.getlist("purposes")
        if not form.is_valid():
            return self.page(self._context(standing, form, ticked), status=422)
        read = Policy.objects.filter(community=self.community, pk=form.cleaned_data["policy"]).first()
        try:
            change_consent(
                person=self.person,
                policy=read or standing.policy,
                now=self.now,
                purposes={*standing.kept, *form.cleaned_data["purposes"]},
                rendering=request.POST.get("rendering", ""),
            )
        except Refusal as refusal:
            return self.page(self._context(standing, form, ticked), status=show_refusal(form, refusal))
        messages.success(request, _("Saved. Below is your receipt."))
        back = self._back()
        return redirect(f"{request.path}?{urlencode({'next': back})}" if back else request.path)

    def _context(self, standing: Standing, form: ConsentForm, ticked: Collection[str]) -> dict[str, Any]:
        # What was on the page when it was sent is there again; else what the reader asks for, or reads.
        asked = self.request.POST.get("language") or self.request.GET.get("language", "")
        languages = [asked, *languages_of_reader(self.person, self.community)]
        texts = renderings_to_read(standing.policy, languages)
        return {
            "form": form,
            "standing": standing,
            "terms": terms_of(standing.policy),
            "rendering": texts[0] if texts else None,
            "texts": named(self.community, texts),
            "band": band_of(self.person, self.community),
            "next": self._back(),
            "is_member": self.is_member,
            "choices": choices_of(standing.offered, ticked=ticked, before=standing.allowed),
            "may_work": bool(standing.kept) and set(NEEDED) <= set(standing.kept),
            "grants": standing.receipt.grants.order_by("pk") if standing.receipt else [],
            "allowed": [(purpose, Purpose(purpose).label) for purpose in standing.allowed],
        }

    def _back(self) -> str:
        """The page the person came from, if it is one of ours."""
        back = self.request.POST.get("next") or self.request.GET.get("next", "")
        safe = url_has_allowed_host_and_scheme(
            back, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )
        return back if safe else ""


class RenderingView(DeskView):
    """Whether the next consent text says the same in another language: a second speaker's word."""

    roles = (Role.SPEAKER,)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Both texts."""
        return self._page(RenderingCheckForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store what the speaker says."""
        form = RenderingCheckForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        rendering = get_object_or_404(Rendering, community=self.community, pk=form.cleaned_data["rendering"])
        try:
            check_rendering(
                rendering=rendering,
                sha256=form.cleaned_data["sha256"],
                checked_by=self.person,
                objection=form.cleaned_data["objection"],
                now=self.now,
            )
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("Thank you. The stewards read it."))
        return redirect("speaker:home", slug=self.community.slug)

    def _page(self, form: RenderingCheckForm, *, status: int = 200) -> HttpResponse:
        waiting = list(renderings_to_check(self.community, self.person).select_related("written_by"))
        asked = self.request.POST.get("rendering") or self.request.GET.get("rendering", "")
        # The community's own language first: without it nothing is published.
        waiting.sort(key=lambda one: (str(one.pk) != asked, one.language != self.community.language_tag))
        shown = named(self.community, waiting)
        context = {
            "community": self.community,
            "rendering": waiting[0] if waiting else None,
            "name": shown[0][0] if shown else "",
            "others": shown[1:],
            "draft": PolicyDraft.objects.filter(community=self.community).first(),
            "form": form,
        }
        return render(self.request, "speaker/rendering.html", context, status=status)


class ReceiptView(OwnWordsView):
    """One's receipt as a file: signed, with the fields of ISO/IEC TS 27560."""

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Take it home."""
        mine = Receipt.objects.visible_to(self.person).filter(community=self.community)
        receipt = get_object_or_404(mine.select_related("policy__community", "community"), pk=pk)
        response = JsonResponse(signed_receipt(receipt, seed=signing_seed(), now=self.now), json_dumps_params=PRETTY)
        response["Content-Disposition"] = f'attachment; filename="consent-receipt-{receipt.pk}.json"'
        return response


class WithdrawConsentView(OwnWordsView):
    """Taking purposes back, after reading what that does."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Say what will happen before it does."""
        form = self._form(request.GET)
        if not form.is_valid():
            return self._choose_first(form)
        purposes = form.cleaned_data["purposes"]
        context = {
            "community": self.community,
            "purposes": [(purpose, Purpose(purpose).label) for purpose in purposes],
            "stops_work": bool(set(NEEDED) & set(purposes)),
            "takes_all": set(purposes) >= set(purposes_allowed(self.person, self.community)),
            "reach": reach_of_consent(self.person, self.community, purposes),
        }
        return render(request, "speaker/withdraw_consent.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take them back."""
        form = self._form(request.POST)
        if not form.is_valid():
            return self._choose_first(form)
        done = withdraw_consent(
            person=self.person, community=self.community, purposes=form.cleaned_data["purposes"], now=self.now
        )
        messages.success(request, _("Taken back. It holds for everything you have written here."))
        if done.releases or done.adapters:
            messages.info(
                request,
                _(
                    "Marked, so that nothing is trained on or served from them: %(releases)d "
                    "releases and %(adapters)d adapters."
                )
                % {"releases": len(done.releases), "adapters": len(done.adapters)},
            )
        return redirect(self._address)

    @property
    def _address(self) -> str:
        return reverse("speaker:consent", args=[self.community.slug])

    def _form(self, sent: Any) -> WithdrawConsentForm:
        return WithdrawConsentForm(sent, live=purposes_allowed(self.person, self.community))

    def _choose_first(self, form: WithdrawConsentForm) -> HttpResponse:
        messages.warning(
            self.request,
            _("Tick what you would like to take back. What is not allowed now needs no taking back."),
        )
        return redirect(self._address)
