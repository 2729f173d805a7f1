"""Who belongs to the community, and as what."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from frontend.desk import show_refusal
from frontend.steward.forms import GrantForm, InviteForm
from frontend.steward.queries import members_of
from frontend.steward.views.home import StewardView
from people.models import Membership, Person
from people.refusals import Invalid, Refusal
from people.services import INVITATION_LIFETIME, add_member, end_membership, invite


class MembersView(StewardView):
    """Members with their roles, and the forms to add some."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        return self.page()

    def page(
        self,
        *,
        grant: GrantForm | None = None,
        invitation: InviteForm | None = None,
        link: str = "",
        refusal: Refusal | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page, with what was typed or made."""
        context = {
            "community": self.community,
            "members": members_of(self.community),
            "grant": grant or GrantForm(auto_id="grant_%s"),
            "invitation": invitation or InviteForm(auto_id="invite_%s"),
            "link": link,
            "refusal": refusal,
            "days": INVITATION_LIFETIME.days,
        }
        return render(self.request, "steward/members.html", context, status=status)


class GrantView(MembersView):
    """Giving a role to an account."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Give it; giving it twice changes nothing."""
        form = GrantForm(request.POST, auto_id="grant_%s")
        if not form.is_valid():
            return self.page(grant=form, status=422)
        try:
            person = _find(form.cleaned_data["username"])
            membership = add_member(
                person=person,
                community=self.community,
                role=form.cleaned_data["role"],
                added_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            return self.page(grant=form, status=show_refusal(form, refusal))
        told = _("%(name)s is a member as %(role)s.")
        messages.success(request, told % {"name": person.name, "role": membership.get_role_display()})
        return redirect("steward:members", slug=self.community.slug)


def _find(username: str) -> Person:
    person = Person.objects.filter(username=username.strip(), is_active=True).first()
    if person is None:
        raise Invalid("Nobody here has this username. Ask for the exact one, or send a link.", field="username")
    return person


@method_decorator(never_cache, name="dispatch")
class InviteView(MembersView):
    """Making an invitation link, which is shown once and kept nowhere."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make it and show it; there is no redirect, because nothing remembers the link."""
        form = InviteForm(request.POST, auto_id="invite_%s")
        if not form.is_valid():
            return self.page(invitation=form, status=422)
        try:
            secret = invite(community=self.community, invited_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self.page(invitation=form, status=show_refusal(form, refusal))
        link = request.build_absolute_uri(reverse("public:join", kwargs={"secret": secret}))
        return self.page(link=link, status=201)


class EndView(MembersView):
    """Ending one role of one member."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:  # type: ignore[override]
        """There is nothing to read here by itself."""
        self._membership(pk)
        return redirect("steward:members", slug=self.community.slug)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End it; the last steward stays."""
        membership = self._membership(pk)
        try:
            end_membership(membership=membership, ended_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(refusal=refusal, status=refusal.status)
        told = _("%(name)s is no longer a member as %(role)s. Their words stay theirs.")
        messages.success(request, told % {"name": membership.person.name, "role": membership.get_role_display()})
        still = Membership.objects.live().filter(person=self.person, community=self.community, role="steward")
        if not still.exists():
            return redirect("public:home")
        return redirect("steward:members", slug=self.community.slug)

    def _membership(self, pk: int) -> Membership:
        """The live membership with that number, in this community."""
        visible = Membership.objects.visible_to(self.person).live().filter(community=self.community)
        membership: Membership = get_object_or_404(visible.select_related("person"), pk=pk)
        return membership
