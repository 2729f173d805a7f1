"""Founding a community: whoever does it becomes its first steward."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from annotation.text.characters import character_row
from people.models import Community, Person
from people.services import found_community


class FoundForm(forms.ModelForm):  # type: ignore[type-arg]
    """The community, its codes, its varieties one per line, and the letters a keyboard lacks."""

    varieties = forms.CharField(
        label=gettext_lazy("Varieties"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One per line: a short code, then the name. For example: north Northern variety"),
    )
    characters = forms.CharField(
        label=gettext_lazy("Letters that keyboards lack"),
        required=False,
        max_length=400,
        help_text=gettext_lazy(
            "With spaces between. They become keys under the text field; a:ä,â offers ä and â by a long press on a."
        ),
    )

    class Meta:
        model = Community
        fields = [
            "name",
            "slug",
            "language_name",
            "language_tag",
            "iso_639_3",
            "glottocode",
            "script",
            "direction",
            "about",
            "is_open",
        ]
        labels = {
            "name": gettext_lazy("Name of the community"),
            "slug": gettext_lazy("Short name for addresses"),
            "language_name": gettext_lazy("Name of the language"),
            "language_tag": gettext_lazy("Language tag (BCP 47)"),
            "script": gettext_lazy("Script (ISO 15924)"),
            "direction": gettext_lazy("Direction of writing"),
            "about": gettext_lazy("About the community"),
            "is_open": gettext_lazy("Anyone with an account may join as a speaker"),
        }
        help_texts = {
            "slug": gettext_lazy("Small letters, numbers and hyphens."),
            "language_tag": gettext_lazy("Such as ote, quz-PE or sr-Latn."),
            "iso_639_3": gettext_lazy("Three small letters, such as ote."),
            "glottocode": gettext_lazy("Such as mezq1235."),
            "script": gettext_lazy("Such as Latn."),
            "is_open": "",
        }
        widgets = {"about": forms.Textarea(attrs={"rows": 4})}

    def clean_varieties(self) -> list[dict[str, str]]:
        """[{code, name}] from the lines."""
        rows = []
        for line in self.cleaned_data["varieties"].splitlines():
            code, _space, name = line.strip().partition(" ")
            if code and not name.strip():
                raise ValidationError(
                    _("“%(code)s” has no name: write a code, a space, and the name."), "name", {"code": code}
                )
            if code:
                rows.append({"code": code, "name": name.strip()})
        return rows


class FoundView(LoginRequiredMixin, View):
    """The form, and the new community's stewards' desk."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The empty form."""
        return render(request, "public/found.html", {"form": FoundForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Found it, or show what is wrong."""
        form = FoundForm(request.POST)
        if not form.is_valid() or not isinstance(request.user, Person):
            return render(request, "public/found.html", {"form": form}, status=422)
        fields: dict[str, Any] = dict(form.cleaned_data)
        characters = " ".join(character_row(fields.pop("characters")))
        try:
            community = found_community(
                founder=request.user,
                now=timezone.now(),
                varieties=fields.pop("varieties"),
                orthographies=[{"name": _("First orthography"), "script": fields["script"], "characters": characters}],
                **fields,
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
            return render(request, "public/found.html", {"form": form}, status=422)
        messages.success(request, _("Founded. Next: publish the consent text, bring text in, invite people."))
        return redirect("steward:home", slug=community.slug)
