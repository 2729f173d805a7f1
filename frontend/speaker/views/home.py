"""The speaker's first page: what waits, and how far things are."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotation.projects.models import Project
from care.renderings import renderings_to_check
from care.services import current_receipt, is_outdated, published_policy
from frontend.desk import DeskView
from frontend.speaker.queries import my_numbers, next_work, reviews_waiting
from people.models import Role
from people.services import has_role


class NextView(DeskView):
    """One feed of writing and checking: leads to whatever this person does next."""

    roles = (Role.SPEAKER, Role.EXPERT)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Go there, or say that nothing waits."""
        found = next_work(self.person, self.community, now=self.now)
        if found is None:
            return render(request, "speaker/nothing_at_all.html", {"community": self.community})
        page = "speaker:review" if found.is_review else "speaker:work"
        return redirect(f"{reverse(page, args=[self.community.slug, found.project.pk])}?feed=1")


class HomeView(DeskView):
    """What waits for me, my numbers, and the projects."""

    opens_to_glass = True

    roles = (Role.SPEAKER, Role.EXPERT)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The desk."""
        projects = list(
            Project.objects.visible_to(self.person)
            .filter(community=self.community)
            .with_progress()
            .order_by("-state", "-created_at")
        )
        waiting = reviews_waiting(self.person, projects, now=self.now)
        receipt = current_receipt(self.person, self.community)
        may_speak = has_role(self.person, self.community, Role.SPEAKER)
        context = {
            "community": self.community,
            "projects": [(project, waiting.get(project.pk, 0)) for project in projects],
            "reviews_waiting": sum(waiting.values()),
            "numbers": my_numbers(self.person, self.community),
            "policy": published_policy(self.community),
            "receipt": receipt,
            "is_outdated": bool(receipt and is_outdated(receipt)),
            "has_rendering": may_speak and renderings_to_check(self.community, self.person).exists(),
            "has_ways": self.community.varieties.exists() or self.community.orthographies.exists(),
            "may_translate": may_speak,
        }
        return render(request, "speaker/home.html", context)
