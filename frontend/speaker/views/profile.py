"""Which varieties and ways of writing are mine."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from frontend.desk import DeskView
from frontend.speaker.forms import ProfileForm
from people.language import set_language_profile
from people.models import LanguageProfile, Role


class ProfileView(DeskView):
    """Saying what one speaks and writes, so that only such work comes."""

    roles = (Role.SPEAKER, Role.EXPERT)

    def get(self, request: HttpRequest) -> HttpResponse:
        """What was said so far."""
        profile = LanguageProfile.objects.filter(person=self.person, community=self.community).first()
        said = {"varieties": profile.varieties.all(), "orthographies": profile.orthographies.all()} if profile else {}
        return self._page(ProfileForm(initial=said, community=self.community))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep it."""
        form = ProfileForm(request.POST, community=self.community)
        if not form.is_valid():
            return self._page(form, 422)
        set_language_profile(person=self.person, community=self.community, **form.cleaned_data)
        messages.success(request, _("Kept. What waits for you follows it from now on."))
        return redirect("speaker:home", slug=self.community.slug)

    def _page(self, form: ProfileForm, status: int = 200) -> HttpResponse:
        return render(self.request, "speaker/profile.html", {"community": self.community, "form": form}, status=status)
