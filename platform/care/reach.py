"""Which communities somebody has to do with: what the database lets a request of theirs reach at all.

Not what they may see there, which every page asks for itself; it is the wall around it.
"""

from __future__ import annotations

from datetime import datetime

from care.models import Agreement, BrokenGlass, HarmReport, Receipt
from people.models import Membership, Person
from people.tenants import every_community


def communities_of(person: Person, now: datetime) -> set[int]:
    """Ids of those in which the person holds a role, whose glass they broke, or whose data they asked for."""
    member = Membership.objects.live().filter(person=person).order_by().values_list("community", flat=True)
    looking = BrokenGlass.objects.live(now).filter(person=person).order_by().values_list("community", flat=True)
    asking = Agreement.objects.held_by(person).order_by().values_list("community", flat=True)
    with every_community():
        return set(member.union(looking, asking))


def communities_ever_of(person: Person) -> set[int]:
    """Ids of those that keep anything of the person: what they agreed to, roles that ended, what they reported.

    For the pages about one's own data, which stay open when one has left.
    """
    agreed = Receipt.objects.filter(person=person).order_by().values_list("community", flat=True)
    roles = Membership.objects.filter(person=person).order_by().values_list("community", flat=True)
    reported = HarmReport.objects.by(person).order_by().values_list("community", flat=True)
    with every_community():
        return set(agreed.union(roles, reported))
