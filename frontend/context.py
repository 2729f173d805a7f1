"""What every page's frame needs: the person's desks, and whether the site shows demo data."""

from __future__ import annotations

from typing import Any

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
    for membership in Membership.objects.live().filter(person=request.user).select_related("community"):
        held.setdefault(membership.community, set()).add(membership.role)
    return {"my_desks": list(held.items()), "shows_demo": any(community.is_demo for community in held)}
