"""What every page's frame needs: the person's desks, and whether the site shows demo data."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.http import HttpRequest

from people.models import Community, Membership


def desks(request: HttpRequest) -> dict[str, Any]:
    """`my_desks`: [(community, {roles})] of the signed-in person, and `shows_demo` for the notice."""
    if not hasattr(request, "user"):
        # Refused before anybody was signed in (a wrong host): the error page still has to be drawn.
        return {"my_desks": [], "shows_demo": False}
    if not request.user.is_authenticated:
        return {"my_desks": [], "shows_demo": Community.objects.filter(is_demo=True).exists()}
    held: dict[Community, set[str]] = {}
    mine = Membership.objects.live().filter(person=request.user).select_related("community")
    for membership in mine.annotate(font_sha256=F("community__font__sha256")):
        # Without the font itself, which no page needs to read.
        membership.community.font_sha256 = membership.font_sha256
        held.setdefault(membership.community, set()).add(membership.role)
    return {"my_desks": list(held.items()), "shows_demo": any(community.is_demo for community in held)}
