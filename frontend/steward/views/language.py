"""The language as the community sets it, and its own words on the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from frontend.desk import show_refusal
from frontend.own_words import OWN_WORDS
from frontend.steward.language_forms import FontForm, OrthographyForm, OwnWordsForm, RowForm, VarietyForm
from frontend.steward.views.home import StewardView
from people.fonts import remove_font, set_font
from people.language import save_orthography, save_variety, set_own_words
from people.models import CommunityFont
from people.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from django.db.models import Model


class LanguageView(StewardView):
    """Ways of writing, varieties and own words, each with its form."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        return self.page()

    def page(
        self,
        *,
        refused: RowForm | None = None,
        words: OwnWordsForm | None = None,
        font: FontForm | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """The page; a form that was refused takes the place of the one for the same row."""
        context = {
            "community": self.community,
            "orthographies": self._forms(OrthographyForm, self.community.orthographies.all(), refused),
            "varieties": self._forms(VarietyForm, self.community.varieties.all(), refused),
            "words": words or OwnWordsForm(community=self.community),
            "font_form": font or FontForm(auto_id="font_%s"),
            "font": CommunityFont.objects.filter(community=self.community).defer("content").first(),
        }
        return render(self.request, "steward/community.html", context, status=status)

    @staticmethod
    def _forms(kind: type[RowForm], rows: Any, refused: RowForm | None) -> list[RowForm]:
        forms = [kind(row=row) for row in [*rows, None]]
        return [refused if isinstance(refused, kind) and refused.row == form.row else form for form in forms]


class RowView(LanguageView):
    """Saving one row."""

    form: type[RowForm]
    rows: str
    save: Callable[..., Any]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change the row that the form names, or add one."""
        pk = request.POST.get("pk", "")
        row: Model | None = getattr(self.community, self.rows).filter(pk=pk).first() if pk.isdecimal() else None
        if pk and row is None:
            raise Http404("No such page.")
        form = self.form(request.POST, row=row)  # type: ignore[arg-type]
        if not form.is_valid():
            return self.page(refused=form, status=422)
        fields = {**form.cleaned_data, "pk": row.pk if row else None}
        try:
            type(self).save(community=self.community, saved_by=self.person, now=self.now, **fields)
        except Refusal as refusal:
            return self.page(refused=form, status=show_refusal(form, refusal))
        messages.success(request, _("Saved."))
        return redirect("steward:language", slug=self.community.slug)


class OrthographyView(RowView):
    """Saving a way of writing."""

    form = OrthographyForm
    rows = "orthographies"
    save = staticmethod(save_orthography)


class VarietyView(RowView):
    """Saving a variety."""

    form = VarietyForm
    rows = "varieties"
    save = staticmethod(save_variety)


class OwnWordsView(LanguageView):
    """Saving the community's own words."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """All at once."""
        form = OwnWordsForm(request.POST, community=self.community)
        if not form.is_valid():
            return self.page(words=form, status=422)
        try:
            set_own_words(community=self.community, words=form.words, known=OWN_WORDS, set_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(words=form, status=show_refusal(form, refusal))
        messages.success(request, _("Saved. Everybody in the community now reads these words."))
        return redirect("steward:language", slug=self.community.slug)


class FontView(LanguageView):
    """Setting the community's own font, or going without."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """One or the other."""
        if request.POST.get("remove"):
            remove_font(community=self.community, removed_by=self.person, now=self.now)
            messages.success(request, _("Pages use the fonts of each phone again."))
            return redirect("steward:language", slug=self.community.slug)
        form = FontForm(request.POST, request.FILES, auto_id="font_%s")
        if not form.is_valid():
            return self.page(font=form, status=422)
        fields = dict(form.cleaned_data)
        content = fields.pop("file").read()
        try:
            set_font(community=self.community, set_by=self.person, content=content, now=self.now, **fields)
        except Refusal as refusal:
            return self.page(font=form, status=show_refusal(form, refusal))
        messages.success(request, _("Saved. Words in your language are now shown in this font."))
        return redirect("steward:language", slug=self.community.slug)
