"""What the pages of the desk share: who comes to them, and the conflicts that they may read."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse

from annotation.answers.models import Answer
from annotation.answers.querysets import AnswerQuerySet
from annotation.conflicts.queue import Conflict, chosen_from, conflicts_among
from frontend.desk import DeskView
from frontend.expert.forms import QueueFilter
from people.models import Role
from people.services import has_role


class ExpertView(DeskView):
    """A page for experts of the community. Stewards read it and discuss; they decide nothing."""

    roles = (Role.EXPERT, Role.STEWARD)

    @cached_property
    def is_expert(self) -> bool:
        """Whether the person decides here."""
        return has_role(self.person, self.community, Role.EXPERT)

    def readable(self) -> AnswerQuerySet:
        """Answers of the community that this person may read."""
        return Answer.objects.visible_to(self.person).of_community(self.community)

    def waiting(self) -> list[Conflict]:
        """The conflicts that wait, the worthiest first; none to which the person has an answer of their own."""
        return conflicts_among(self.readable().disputed().not_touching(self.person))

    def filtered(self) -> tuple[QueueFilter, list[Conflict]]:
        """The form that chooses among them, and those that were chosen."""
        waiting = self.waiting()
        form = QueueFilter(self.request.GET, conflicts=waiting, shows_names=self.community.experts_see_names)
        return form, chosen_from(waiting, form.chosen())

    def address_of(self, conflict: Conflict) -> str:
        """Where it is decided, with the choice that led there."""
        return self.keeping(reverse("expert:answer", args=[self.community.slug, conflict.lead.pk]))

    def keeping(self, address: str) -> str:
        """The address with what was chosen in the queue."""
        names = QueueFilter.NAMES
        chosen = {name: value for name, value in self.request.GET.items() if name in names and value}
        return f"{address}?{urlencode(chosen)}" if chosen else address


class DecidingView(ExpertView):
    """A page on which experts change something; it does not exist for others."""

    roles = (Role.EXPERT,)
