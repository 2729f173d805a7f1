"""A community's own font: a style sheet that names it, and the file."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from frontend.desk import DeskView
from people.models import CommunityFont

YEAR = {"Cache-Control": "private, max-age=31536000, immutable"}


class FontSheetView(DeskView):
    """The style sheet; its address changes with the font."""

    def get(self, request: HttpRequest, sha256: str) -> HttpResponse:
        """Text in the community's language is set in the font, and so is the page in its own words."""
        font = _font(self, sha256)
        file = reverse("public:font", args=[self.community.slug, font.sha256])
        tag = self.community.language_tag
        sheet = (
            f'@font-face {{ font-family: "community"; src: url("{file}") format("woff2"); font-display: swap; }}\n'
            f':lang({tag}) {{ font-family: "community", system-ui, sans-serif; }}\n'
        )
        return HttpResponse(sheet, content_type="text/css", headers=YEAR)


class FontView(DeskView):
    """The font itself."""

    def get(self, request: HttpRequest, sha256: str) -> HttpResponse:
        """Under its hash, for a year."""
        return HttpResponse(bytes(_font(self, sha256).content), content_type="font/woff2", headers=YEAR)


def _font(view: DeskView, sha256: str) -> CommunityFont:
    font: CommunityFont | None = CommunityFont.objects.filter(community=view.community, sha256=sha256).first()
    if font is None:
        raise Http404("No such page.")
    return font
