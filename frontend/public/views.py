"""The pages one sees before taking a seat: home, about, a community, and joining it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import TemplateView
from django.views.i18n import set_language

from care.benefits import register_of
from care.models import Agreement
from care.reach import communities_ever_of
from care.services import current_receipt, published_policy
from frontend.copies import own_notices
from frontend.public.queries import adapters_with_reasons, communities_left, community_numbers
from people.models import Community, Person, Role
from people.refusals import Refusal
from people.services import accept_invitation, find_invitation, join_open_community
from people.tenants import widen

FIRST_DESK = {
    Role.SPEAKER: "speaker:home",
    Role.EXPERT: "expert:queue",
    Role.RESEARCHER: "researcher:home",
    Role.STEWARD: "steward:home",
    Role.ELDER: "steward:inbox",
}


class HomeView(View):
    """What Wordhearth is, my communities, and those I may join."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The front door."""
        joinable = Community.objects.joinable()
        if not isinstance(request.user, Person):
            return render(request, "public/home.html", {"joinable": joinable})
        widen(*communities_ever_of(request.user))
        mine = Community.objects.visible_to(request.user)
        context = {
            "mine": mine,
            "left": communities_left(request.user),
            "to_delete": own_notices(request.user).open_ones().count(),
            "has_agreements": Agreement.objects.held_by(request.user).exists(),
            "joinable": joinable.exclude(pk__in=mine.values("pk")),
        }
        return render(request, "public/home.html", context)


class AboutView(TemplateView):
    """What happens to words here, and what the site keeps about its visitors."""

    template_name = "public/about.html"


@method_decorator(csrf_exempt, name="dispatch")
class LanguageView(View):
    """Choosing the language of the pages, for this browser.

    It asks for no token: choosing harms nobody, and a token would put a cookie on everybody's first visit.
    """

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Remember it in a cookie, and go back to the page."""
        return set_language(request)


class CommunityView(View):
    """A community's page: all of it for members, a card for others when it is open, else nothing."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """The page that fits who is asking."""
        person = request.user if isinstance(request.user, Person) else None
        if person and (community := Community.objects.visible_to(person).filter(slug=slug).first()):
            return render(request, "public/community.html", _members_context(community, person))
        if community := Community.objects.joinable().filter(slug=slug).first():
            widen(community.pk)
            context = {"community": community, "benefits": register_of(community)}
            return render(request, "public/community_card.html", context)
        if person is None:
            return redirect_to_login(request.get_full_path())
        raise Http404("No such page.")


def _members_context(community: Community, person: Person) -> dict[str, Any]:
    roles = set(community.memberships.live().filter(person=person).values_list("role", flat=True))
    return {
        "community": community,
        "roles": roles,
        "varieties": community.varieties.all(),
        "policy": published_policy(community),
        "receipt": current_receipt(person, community),
        "numbers": community_numbers(community),
        "benefits": register_of(community),
        "adapters": adapters_with_reasons(person, community).usable(),
    }


class JoinView(View):
    """Joining an open community as a speaker."""

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Join, then go to the speaker's desk."""
        if not isinstance(request.user, Person):
            return redirect_to_login(f"/c/{slug}/")
        community = Community.objects.joinable().filter(slug=slug).first()
        if community is None:
            raise Http404("No such page.")
        join_open_community(person=request.user, community=community, now=timezone.now())
        messages.success(request, _("Welcome to %(name)s.") % {"name": community.name})
        return redirect("speaker:home", slug=community.slug)


class InvitationView(View):
    """The page behind an invitation link. Whoever holds the link may see which community it is for."""

    def get(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Say what the invitation is for; nothing happens before the button is pressed."""
        try:
            invitation = find_invitation(secret=secret, now=timezone.now())
        except Refusal as refusal:
            return _spent(request, refusal)
        return render(request, "public/invitation.html", {"invitation": invitation})

    def post(self, request: HttpRequest, secret: str) -> HttpResponse:
        """Accept the invitation."""
        if not isinstance(request.user, Person):
            return redirect_to_login(request.path)
        try:
            membership = accept_invitation(person=request.user, secret=secret, now=timezone.now())
        except Refusal as refusal:
            return _spent(request, refusal)
        messages.success(request, _("Welcome to %(name)s.") % {"name": membership.community.name})
        return redirect(FIRST_DESK[Role(membership.role)], slug=membership.community.slug)


def _spent(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    return render(request, "public/invitation_spent.html", {"refusal": refusal}, status=refusal.status)
