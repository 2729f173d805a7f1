"""What all desks share: finding the community with permission, and turning a refusal into a form's error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.views import View

from care.deciding import DecisionNeeded
from care.glass import glass_of
from care.models import Matter
from people.models import Community, Person
from people.refusals import Refusal

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class DeskView(LoginRequiredMixin, View):
    """A page of one community. Whoever holds none of `roles` there gets 404, as if it did not exist."""

    roles: tuple[str, ...] = ()
    opens_to_glass = False
    """Whether the platform's staff may read this page, and only read it, once they have broken the glass."""
    community: Community
    person: Person

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Load the community named in the address, if this person may see it."""
        if not isinstance(request.user, Person):
            return self.handle_no_permission()
        self.person = request.user
        allowed = Community.objects.visible_to(self.person)
        if self.roles:
            allowed = Community.objects.where(self.person, *self.roles)
        slug = kwargs.pop("slug")
        community = allowed.filter(slug=slug).first() or self._behind_glass(request, slug)
        if community is None:
            raise Http404("No such page.")
        self.community = community
        return super().dispatch(request, *args, **kwargs)

    def _behind_glass(self, request: HttpRequest, slug: str) -> Community | None:
        """The community, for staff who broke its glass and only read. What they do is refused by every service."""
        # Said by the page itself: what is built upon it does not open with it.
        opens = vars(type(self)).get("opens_to_glass", False)
        if not (opens and self.person.is_staff and request.method in {"GET", "HEAD"}):
            return None
        glass = glass_of(self.person, slug, self.now)
        if glass is None:
            return None
        self.person.looking_into = glass.community_id
        return glass.community

    @property
    def now(self) -> datetime:
        """The moment of this request."""
        return timezone.now()


def show_refusal(form: forms.BaseForm, refusal: Refusal) -> int:
    """Put the refusal's message beside the field it names, or above the form; returns the response status."""
    field = getattr(refusal, "field", "")
    said = with_way_on(refusal)
    form.add_error(field if field in form.fields else None, said)
    return refusal.status


def with_way_on(refusal: Refusal) -> str:
    """The refusal's words; where a decision is missing, with the way to propose it.

    A consent text is too long for an address: its own page offers a form.
    """
    if not isinstance(refusal, DecisionNeeded) or refusal.matter == Matter.POLICY:
        return str(refusal)
    query = urlencode({"matter": refusal.matter, "subject": refusal.subject})
    address = f"{reverse('steward:propose', args=[refusal.community])}?{query}"
    return format_html('{} <a href="{}">{}</a>', str(refusal), address, gettext("Propose it"))
