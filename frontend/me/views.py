"""What I gave, what it is used for, what became of what I took back, and all of it as a file."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from care.models import Withdrawal
from care.reach import communities_ever_of
from frontend.cases import cases
from frontend.me.archive import zip_about
from people.handing import while_allowed
from people.models import Person
from people.tenants import widen
from training.lineage.giving import given_by

PAGE = 10


class MeView(LoginRequiredMixin, View):
    """A page about the person who is signed in, and nobody else."""

    person: Person

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who it is."""
        if not isinstance(request.user, Person):
            return self.handle_no_permission()
        self.person = request.user
        widen(*communities_ever_of(self.person))
        return super().dispatch(request, *args, **kwargs)


class DataView(MeView):
    """My data."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        mine = Withdrawal.objects.filter(person=self.person)
        page = Paginator(mine, PAGE).get_page(request.GET.get("page"))
        context = {
            "given": given_by(self.person),
            "page": page,
            "cases": cases(mine.filter(pk__in=[row.pk for row in page]), now=timezone.now()),
        }
        return render(request, "me/data.html", context)


class FileView(MeView):
    """Everything about me, to take home."""

    def get(self, request: HttpRequest) -> FileResponse:
        """A zip of data.json and index.html."""
        now = timezone.now()
        name = f"my-data-{now:%Y-%m-%d}.zip"
        file = zip_about(self.person, now=now)
        response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        response.streaming_content = while_allowed(response.streaming_content, self._still)
        return response

    def _still(self) -> bool:
        """Whether the account is neither suspended nor erased by now."""
        return Person.objects.filter(pk=self.person.pk, is_active=True).exists()
